"""The patients and what becomes of them, drawn once from the seed, so that a changed rule meets the same people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from schedules.calendar import OpenDays
from service.simulation.scenario import Scenario

_NOTICE = 3  # days before the surgery, at least, on which it is moved or called off


@dataclass(frozen=True)
class Person:
    """One patient with one surgery. `referred` leads to the order; `told` is when a move or cancellation is known.

    `surgery` is the day first booked, `operated` the day it takes place (None: it was called off), `recorded_after`
    how many hours after its end somebody records it (None: nobody ever does).
    """

    number: int
    seed: int
    referred: date
    surgery: date
    told: date
    operated: date | None
    recorded_after: int | None
    booking_days: int

    def id(self, name: str) -> str:
        return f"{name}-{self.number:06}"

    @property
    def patient(self) -> str:
        return f"Patient/{self.id('patient')}"

    def chance(self, what: str, share: float) -> bool:
        """Whether something with this share of cases happens to this patient; the same whenever it is asked."""
        return Random(f"{self.seed}:{self.number}:{what}").random() < share

    def between(self, what: str, low: int, high: int) -> int:
        return Random(f"{self.seed}:{self.number}:{what}").randint(low, high)


def people(scenario: Scenario, theatre: OpenDays) -> list[Person]:
    """Everybody, in the order of their surgery days."""
    days = theatre.between(scenario.start, scenario.last)
    later = theatre.between(scenario.last + timedelta(days=1), scenario.last + timedelta(days=60))
    if not days:
        return []
    every = range(scenario.patients)
    return [_person(number, days[number * len(days) // scenario.patients], days + later, scenario) for number in every]


def _person(number: int, surgery: date, days: Sequence[date], scenario: Scenario) -> Person:
    dice, habits = Random(f"{scenario.seed}:{number}"), scenario.habits
    referred = surgery - timedelta(days=dice.randint(10, 30))
    told = max(referred + timedelta(days=1), surgery - timedelta(days=_NOTICE + dice.randint(0, 4)))
    moved, called_off = dice.random() < habits.surgery_moved, dice.random() < habits.surgery_cancelled
    operated = _later(days, surgery, dice.randint(1, 8)) if moved else surgery
    late = dice.random() < habits.recorded_late
    hours = 24 * (dice.randint(1, 3) if dice.random() < 0.8 else dice.randint(4, 16)) if late else dice.randint(1, 5)
    never, slow = dice.random() < habits.never_recorded, dice.random() < habits.booked_late
    return Person(
        number=number,
        seed=scenario.seed,
        referred=referred,
        surgery=surgery,
        told=told,
        operated=None if called_off else operated,
        recorded_after=None if never else hours,
        booking_days=dice.randint(8, 12) if slow else dice.randint(0, 2),
    )


def _later(days: Sequence[date], day: date, by: int) -> date:
    """Another surgery day, `by` of them later."""
    place = days.index(day) + by
    return days[min(place, len(days) - 1)]

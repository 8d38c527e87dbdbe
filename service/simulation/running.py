"""The course of events: a heap of what people do, hour after hour of due work in between, and a clerk every morning."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import count

from pathway.errors import Refused
from pathway.keys import key_of
from pathway.ports import Resource
from pathway.timing import calendar_date
from schedules.calendar import OpenDays
from service.simulation import records
from service.simulation.people import Person
from service.simulation.scenario import Scenario
from service.simulation.world import World

Progress = Callable[[date], None]


@dataclass
class Course:
    """One run. `waiting`: by day, how many visits are on the waitlist in the morning."""

    world: World
    scenario: Scenario
    persons: Sequence[Person]
    waiting: dict[date, int] = field(default_factory=dict)
    released: int = 0
    _events: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)
    _taken: Counter[date] = field(default_factory=Counter)
    _asked: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._by_patient = {person.patient: person for person in self.persons}

    def run(self, progress: Progress = lambda _: None) -> None:
        """Everything up to the end of the last day."""
        world, scenario = self.world, self.scenario
        for person in self.persons:
            self._plan(person.referred, 9, partial(self._referred, person))
        day = min([person.referred for person in self.persons], default=scenario.start)
        while day <= scenario.last:
            progress(day)
            for hour in range(24):
                moment = world.at(day, hour).astimezone(UTC)
                self._until(moment)
                world.clock.moment = moment + timedelta(minutes=5)
                self.released += world.release()
                if hour == 8:
                    self._morning(day)
            day += timedelta(days=1)
        world.clock.moment = world.at(day, 0).astimezone(UTC)

    def _until(self, moment: datetime) -> None:
        while self._events and self._events[0][0] <= moment:
            at, _, act = heapq.heappop(self._events)
            self.world.clock.moment = max(at, self.world.clock.moment)
            act()

    def _plan(self, day: date, hour: int, act: Callable[[], None], minute: int = 30) -> None:
        self._at(self.world.at(day, hour, minute), act)

    def _at(self, at: datetime, act: Callable[[], None]) -> None:
        heapq.heappush(self._events, (at.astimezone(UTC), next(self._order), act))

    # Before and at the surgery

    def _referred(self, person: Person) -> None:
        self.world.record(*records.introduction(person, self.world))
        self._plan(person.referred, 15, partial(self._ordered, person))

    def _ordered(self, person: Person) -> None:
        """The drafted order is signed and the theatre booked."""
        order = self._order_of(person)
        signed = [{**order, "status": "active"}] if order else []
        self.world.record(*signed, records.theatre(person, self.world, order, person.surgery))
        if person.operated != person.surgery:
            self._plan(person.told, 14, partial(self._moved, person, order))
        if person.operated is not None and person.recorded_after is not None:
            ended = self.world.at(person.operated, 10) + timedelta(hours=person.recorded_after)
            self._at(ended, partial(self._recorded, person, order, person.operated))

    def _moved(self, person: Person, order: Resource | None) -> None:
        status = "booked" if person.operated else "cancelled"
        self.world.record(records.theatre(person, self.world, order, person.operated or person.surgery, status))
        if person.operated is None and order:
            self.world.change("ServiceRequest", order["id"], lambda r: {**r, "status": "revoked"})

    def _recorded(self, person: Person, order: Resource | None, day: date) -> None:
        self.world.record(records.procedure(person, self.world, order, day))

    def _order_of(self, person: Person) -> Resource | None:
        """The drafted order; a hospital that got none operates all the same."""
        found = self.world.found("ServiceRequest", ("patient", person.patient))
        return next((request for request in found if key_of(request)), None)

    # The follow-up visit

    def _morning(self, today: date) -> None:
        """The booking clerk reads what is proposed; whoever waits is looked at again, as the hourly sweep does."""
        waitlisted = self.world.found("Appointment", ("status", "waitlist"))
        self.waiting[today] = len(waitlisted)
        for visit in waitlisted:
            self.world.look(visit["supportingInformation"][0]["reference"])
        for visit in self.world.found("Appointment", ("status", "proposed")):
            person = self._person_of(visit)
            self._to_book(person, visit, today + timedelta(days=person.booking_days))

    def _to_book(self, person: Person, visit: Resource, day: date, why: str = "proposed") -> None:
        if (visit["id"], why) not in self._asked:
            self._asked.add((visit["id"], why))
            self._plan(day, 11, partial(self._booked, person, visit["id"]))

    def _booked(self, person: Person, id: str) -> None:
        """The proposed day, if it is still ahead and has a place; else the next day that has one."""
        [visit] = self.world.found("Appointment", ("_id", id))
        wanted = self._wanted(visit)
        if visit["status"] not in ("proposed", "cancelled") or wanted is None:
            self._asked.discard((id, "proposed"))  # it has lost its day since: to be booked when it has one again
            return
        day = self._free(wanted)
        self._taken[day] += 1
        self._change(visit, status="booked", **records.hours(self.world, day, 10, 1))
        ahead = (day - self.world.today).days
        if ahead > 1 and self._chance(person, visit, "cancelled", self.scenario.habits.visit_cancelled):
            self._plan(day - timedelta(days=1), 13, partial(self._called_off, person, id, day))
        else:
            self._plan(day, 11, partial(self._visited, person, id))

    def _called_off(self, person: Person, id: str, day: date) -> None:
        """By the patient; the clerk books another day two days later."""
        self._taken[day] -= 1
        [visit] = self.world.found("Appointment", ("_id", id))
        self._change(visit, status="cancelled")
        self._to_book(person, visit, self.world.today + timedelta(days=2), "anew")

    def _visited(self, person: Person, id: str) -> None:
        [visit] = self.world.found("Appointment", ("_id", id))
        missed = self._chance(person, visit, "no-show", self.scenario.habits.no_show)
        self._change(visit, status="noshow" if missed else "fulfilled")

    def _change(self, visit: Resource, **values: str) -> None:
        self.world.change("Appointment", visit["id"], lambda current: {**current, **values})

    def _chance(self, person: Person, visit: Resource, what: str, share: float) -> bool:
        """The first visit of a patient has the same luck in every run, the next one another."""
        return person.chance(f"{what}:{sum(1 for key in self._asked if key[0] == visit['id'])}", share)

    def _wanted(self, visit: Resource) -> date | None:
        period: Resource = next(iter(visit.get("requestedPeriod", [])), {})
        return calendar_date(period["start"], self.world.pathway.site.zone) if "start" in period else None

    def _free(self, wanted: date) -> date:
        """From `wanted` on, else from tomorrow on, the first open day with a place. Raises Refused after a year."""
        calendar, first = self.world.pathway.site.calendar, max(wanted, self.world.today + timedelta(days=1))
        for day in OpenDays(calendar).between(first, first + timedelta(days=365)):
            if calendar.capacity is None or self._taken[day] < calendar.capacity:
                return day
        raise Refused(
            f"The clinic has no place for a visit within a year after {first}: its calendar is closed or full"
        )

    def _person_of(self, visit: Resource) -> Person:
        patients = [p["actor"]["reference"] for p in visit["participant"]]
        return next(self._by_patient[one] for one in patients if one in self._by_patient)

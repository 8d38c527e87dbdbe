"""A visit that needs a day; and which day was proposed under which terms, kept in `meta.tag` of its Appointment.

A day stays as long as its terms do: otherwise a place that becomes free nearer to the target would move a visit that
somebody may be about to book.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal, Protocol

from pathway import codes
from pathway.ports import FhirRepository, Resource
from pathway.tags import tag_of, tagged
from pathway.tasks import is_movable
from pathway.timing import instant


@dataclass(frozen=True)
class VisitAsked:
    """A visit that needs a day from `first` to `last` (both included), best on `target`; `today` is the clinic's.

    `key` names its Appointment. `kept`: the day that was chosen before under the same terms, None when there is none,
    with its sentence (`why`) and the reference of its `slot`; `settled`: it is booked or over, the day is not ours any
    more. `actors`: references of those who take part.
    """

    key: str
    first: date
    last: date
    target: date
    today: date
    kept: date | None = None
    why: str = ""
    slot: str | None = None
    settled: bool = False
    actors: frozenset[str] = frozenset()


VisitStanding = Literal["no-day-free", "too-early-to-book", "outside-window", "holidays-unknown"]


@dataclass(frozen=True)
class Visit:
    """A chosen day for a visit and, as one sentence, why this one; `day` is None when no day is free.

    `times`: from when to when on that day (instants), None for the whole day. `slot`: the hospital's Slot that it would
    fill. `standing`: what a person has to know of it.
    """

    day: date | None
    why: str
    times: tuple[str, str] | None = None
    slot: Resource | None = None
    standing: VisitStanding | None = None


class VisitChooser(Protocol):
    """Chooses the day of a visit. What was chosen before by the same one counts as taken."""

    def __call__(self, asked: VisitAsked) -> Visit: ...


class VisitChoosing(Protocol):
    """Makes the chooser for one transaction, by what the hospital's base holds in it."""

    def __call__(self, base: FhirRepository) -> VisitChooser: ...


_STANDINGS = {
    "no-day-free": "No day free",
    "too-early-to-book": "Too early to book",
    "outside-window": "Outside the window",
    "holidays-unknown": "Holidays not known",
}


def asked_again(asked: VisitAsked, appointment: Resource | None) -> VisitAsked:
    """What is asked for, knowing the Appointment that there is already."""
    if appointment is None:
        return asked
    settled, before = not is_movable(appointment), proposed_days(appointment)
    if before is None or before.window != (asked.first, asked.last):
        return replace(asked, settled=settled)
    if not settled and before.target != asked.target:
        return replace(asked, settled=settled)
    slot = next((str(s["reference"]) for s in appointment.get("slot", [])), None)
    return replace(asked, kept=before.day, why=str(appointment.get("comment", "")), slot=slot, settled=settled)


def with_terms(appointment: Resource, asked: VisitAsked, visit: Visit) -> Resource:
    """The Appointment with what was proposed for it, and what a person has to know of that."""
    day = visit.day.isoformat() if visit.day else ""
    proposed = f"{asked.first}/{asked.last}/{asked.target}/{day}"
    return _standing(tagged(appointment, codes.PROPOSED_DATES, proposed), visit.standing)


def with_terms_of(appointment: Resource, proposed: Resource) -> Resource:
    """The Appointment with the terms of what is proposed now."""
    terms = tag_of(proposed, codes.PROPOSED_DATES)
    return _standing(tagged(appointment, codes.PROPOSED_DATES, terms), tag_of(proposed, codes.BUSINESS_STATUS))


def same_terms(one: Resource, other: Resource) -> bool:
    return all(tag_of(one, s) == tag_of(other, s) for s in (codes.PROPOSED_DATES, codes.BUSINESS_STATUS))


@dataclass(frozen=True)
class ProposedDays:
    """For which days a visit was proposed; `day` None when none was free."""

    first: date
    last: date
    target: date
    day: date | None

    @property
    def window(self) -> tuple[date, date]:
        return self.first, self.last


def proposed_days(appointment: Resource) -> ProposedDays | None:
    """None where none are noted."""
    noted = tag_of(appointment, codes.PROPOSED_DATES)
    if noted is None:
        return None
    first, last, target, day = (date.fromisoformat(part) if part else None for part in noted.split("/"))
    return ProposedDays(first, last, target, day) if first and last and target else None


def with_booking_asked(appointment: Resource, start: str, at: datetime) -> Resource:
    """The Appointment with the time at which the hospital was asked to book it, and when that was."""
    return tagged(appointment, codes.BOOKING_ASKED, f"{start} {at.isoformat()}")


def booking_asked(appointment: Resource) -> tuple[datetime, datetime] | None:
    """The start that was asked for last, and when; None when the hospital was never asked to book it."""
    asked = tag_of(appointment, codes.BOOKING_ASKED)
    if asked is None:
        return None
    start, _, at = asked.partition(" ")
    return instant(start), instant(at)


def _standing(appointment: Resource, standing: str | None) -> Resource:
    return tagged(appointment, codes.BUSINESS_STATUS, standing, _STANDINGS.get(standing or ""))

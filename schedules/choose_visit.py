"""Window + calendar + places -> the day of a visit and the reason, as one sentence. Deterministic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from pathway.ports import Resource, Visit, VisitAsked, VisitStanding
from schedules.calendar import OpenDays

_LOOK_AHEAD = 60  # days after a window that has passed


class Places(Protocol):
    """How full the days of a clinic are. `key`: the Appointment a place is sought for, which takes none from itself.

    `slotted`: whether the hospital's Slots are the places, so that a day without a free one is full.
    """

    @property
    def slotted(self) -> bool: ...

    def full(self, day: date, key: str) -> str | None:
        """Why no more visits fit on a day, None when one does."""

    def slot(self, day: date, key: str) -> Resource | None:
        """The first Slot that a visit on a day could fill; None without Slots."""

    def still(self, slot: str, key: str) -> Resource | None:
        """The Slot of this reference, while nobody else fills it."""

    def bookable_until(self) -> date | None:
        """The last day for which the clinic takes appointments by now, None when nobody says."""


@dataclass(frozen=True)
class VisitDay:
    """Chooses for one visit, never outside its window (fu-first-visit) unless that has passed, and then says so."""

    asked: VisitAsked
    days: OpenDays
    places: Places

    def chosen(self) -> Visit:
        asked = self.asked
        if asked.kept is not None and self._stays(asked.kept):
            return self._kept(asked.kept)
        if asked.settled:
            return self._in_question()
        if asked.today > asked.last:
            return self._late()
        day = next((day for day in self._nearest_first() if self._reason(day) is None), None)
        return self._visit(day) if day else self._none()

    def _stays(self, day: date) -> bool:
        """A day that is booked is not ours to take back; one that nobody booked in time, or lost its place, is."""
        asked = self.asked
        if asked.settled:
            return True
        if day < asked.today or self.days.closed(day):
            return False
        if asked.slot:
            return self.places.still(asked.slot, asked.key) is not None
        return not (self.places.slotted and self._within_horizon(day))

    def _kept(self, day: date) -> Visit:
        asked = self.asked
        slot = self.places.still(asked.slot, asked.key) if asked.slot else None
        why = asked.why if asked.why and not asked.settled else self._why(day, self._closed)
        return Visit(day, why, slot, self._standing(day))

    def _in_question(self) -> Visit:
        """The day that a person is asked to compare a booked one with. It does not go on with today: they would be
        asked anew each day."""
        asked = self.asked
        days = [asked.first + timedelta(days=n) for n in range((asked.last - asked.first).days + 1)]
        days.sort(key=lambda day: (abs((day - asked.target).days), day))
        day = next((day for day in days if self._closed(day) is None), asked.target)
        return Visit(day, self._why(day, self._closed))

    def _nearest_first(self) -> Iterator[date]:
        """Of two equally near ones the earlier; today, which is hard to book, only when there is no other."""
        asked = self.asked
        first = max(asked.first, asked.today)
        days = [first + timedelta(days=n) for n in range((asked.last - first).days + 1)]
        yield from sorted(days, key=lambda day: (day == asked.today, abs((day - asked.target).days), day))

    def _reason(self, day: date) -> str | None:
        """Why a day cannot be had, None when it can."""
        if day < self.asked.today:
            return "has passed"
        if closed := self._closed(day):
            return closed
        full = self.places.full(day, self.asked.key) if self._within_horizon(day) else None
        return f"is full: {full}" if full else None

    def _closed(self, day: date) -> str | None:
        closed = self.days.closed(day)
        return f"is closed: {closed}" if closed else None

    def _within_horizon(self, day: date) -> bool:
        until = self.places.bookable_until()
        return until is None or day <= until

    def _visit(self, day: date) -> Visit:
        slot = self.places.slot(day, self.asked.key) if self._within_horizon(day) else None
        return Visit(day, self._why(day, self._reason), slot, self._standing(day))

    def _standing(self, day: date) -> VisitStanding | None:
        if not self.asked.first <= day <= self.asked.last:
            return "outside-window"
        return None if self._within_horizon(day) else "too-early-to-book"

    def _why(self, day: date, reason_against: Callable[[date], str | None]) -> str:
        asked, span = self.asked, self._span()
        until = self.places.bookable_until()
        early = f" It is too early to book: the clinic takes appointments until {named(until)}." if until else ""
        early = "" if self._within_horizon(day) else early
        if not asked.first <= day <= asked.last:
            return f"{named(day)} is OUTSIDE {span}, which has passed: it is the earliest open day with a place.{early}"
        if day == asked.target:
            return f"{named(day)} is the target day in {span}, and the clinic is open.{early}"
        reason = reason_against(asked.target)
        because = (
            f"{named(asked.target)}, the target day, {reason}" if reason else f"the target is {named(asked.target)}"
        )
        return f"{named(day)} is the open clinic day nearest to the target in {span} ({because}).{early}"

    def _none(self) -> Visit:
        reasons = [reason for day in sorted(self._nearest_first()) if (reason := self._reason(day))]
        full = sum(reason.startswith("is full") for reason in reasons)
        days = "the one open day is full" if full == 1 else f"all {full} open days are full"
        why = f"No free place in {self._span()}, {days}" if full else f"No open clinic day in {self._span()}"
        return Visit(None, f"{why}: a person has to find one.", standing="no-day-free")

    def _late(self) -> Visit:
        ahead = (self.asked.today + timedelta(days=n) for n in range(1, _LOOK_AHEAD + 1))
        day = next((day for day in ahead if self._reason(day) is None), None)
        return self._visit(day) if day else self._none()

    def _span(self) -> str:
        return f"the window {named(self.asked.first)} to {named(self.asked.last)}"


def choose_visit(asked: VisitAsked, days: OpenDays, places: Places) -> Visit:
    """The open day with a free place nearest to the target; of two equally near the earlier.

    With none `Visit.day` is None and the sentence says why.
    """
    return VisitDay(asked, days, places).chosen()


def named(day: date) -> str:
    """A day as people read it, in English whatever the machine's language."""
    return f"{day:%a} {day.day} {day:%b %Y}"

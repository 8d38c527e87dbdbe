"""Window + calendar + places -> the day of a visit and the reason, as one sentence. Deterministic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from pathway.ports import Resource
from pathway.timing import wall
from pathway.visits import Visit, VisitAsked, VisitStanding
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
    zone: str

    def chosen(self) -> Visit:
        asked = self.asked
        if asked.kept is not None and self._stays(asked.kept):
            return self._kept(asked.kept)
        if asked.settled:
            return self._in_question()
        day = next((day for day in self._nearest_first() if self._reason(day) is None), None)
        if day is not None:
            return self._visit(day)
        return self._late() if self._is_over() else self._none()

    def _stays(self, day: date) -> bool:
        """A day that is booked is not ours to take back; one that nobody booked in time, or lost its place, is."""
        asked = self.asked
        if asked.settled:
            return True
        if day < asked.today or self._closed(day):
            return False
        if asked.slot:
            return self.places.still(asked.slot, asked.key) is not None
        return not (self.places.slotted and self._within_horizon(day))

    def _kept(self, day: date) -> Visit:
        asked = self.asked
        slot = self.places.still(asked.slot, asked.key) if asked.slot else None
        why = asked.why if asked.why and not asked.settled else self._why(day, self._closed)
        return self._on(day, why, slot)

    def _in_question(self) -> Visit:
        """The day that a person is asked to compare a booked one with. It does not go on with today: they would be
        asked anew each day."""
        days = sorted(self._window(), key=self._distance)
        day = next((day for day in days if self._closed(day) is None), self.asked.target)
        return Visit(day, self._why(day, self._closed))

    def _nearest_first(self) -> Iterator[date]:
        """The days of the window that lie ahead, from tomorrow on; of two equally near ones the earlier."""
        days = [day for day in self._window() if day > self.asked.today]
        yield from sorted(days, key=self._distance)

    def _distance(self, day: date) -> tuple[int, date]:
        return abs((day - self.asked.target).days), day

    def _window(self) -> list[date]:
        asked = self.asked
        return [asked.first + timedelta(days=n) for n in range((asked.last - asked.first).days + 1)]

    def _is_over(self) -> bool:
        """Whether no day of the window can be had any more, and there were some: full days may become free."""
        left = [day for day in self._window() if day > self.asked.today]
        passed = [day for day in self._window() if day <= self.asked.today]
        return not left or (all(map(self._closed, left)) and not all(map(self._closed, passed)))

    def _reason(self, day: date) -> str | None:
        """Why a day cannot be had, None when it can."""
        if day <= self.asked.today:
            return "has passed"
        if closed := self._closed(day):
            return closed
        full = self.places.full(day, self.asked.key) if self._within_horizon(day) else None
        return f"is full: {full}" if full else None

    def _closed(self, day: date) -> str | None:
        closed = self.days.closed(day, self.asked.actors)
        return f"is closed: {closed}" if closed else None

    def _within_horizon(self, day: date) -> bool:
        until = self.places.bookable_until()
        return until is None or day <= until

    def _visit(self, day: date) -> Visit:
        slot = self.places.slot(day, self.asked.key) if self._within_horizon(day) else None
        return self._on(day, self._why(day, self._reason), slot)

    def _on(self, day: date, why: str, slot: Resource | None) -> Visit:
        """The time of its Slot, else the hours of the clinic, else the whole day."""
        times = (str(slot["start"]), str(slot["end"])) if slot else self._hours(day)
        return Visit(day, why, times, slot, self._standing(day))

    def _hours(self, day: date) -> tuple[str, str] | None:
        hours = self.days.hours(day)
        if hours is None:
            return None
        opens, closes = (wall(day, at, self.zone).astimezone(ZoneInfo(self.zone)).isoformat() for at in hours)
        return opens, closes

    def _standing(self, day: date) -> VisitStanding | None:
        if not self.asked.first <= day <= self.asked.last:
            return "outside-window"
        if not self._within_horizon(day):
            return "too-early-to-book"
        return "holidays-unknown" if self.days.caveat(day) else None

    def _why(self, day: date, reason_against: Callable[[date], str | None]) -> str:
        asked, span = self.asked, self._span()
        until = self.places.bookable_until()
        early = f"It is too early to book: the clinic takes appointments until {named(until)}." if until else ""
        early = "" if self._within_horizon(day) else early
        more = "".join(f" {sentence}" for sentence in (early, self.days.caveat(day)) if sentence)
        if not asked.first <= day <= asked.last:
            return f"{named(day)} is OUTSIDE {span}, in which no day is left: it is the earliest with a place.{more}"
        if day == asked.target:
            return f"{named(day)} is the target day in {span}, and the clinic is open.{more}"
        reason = reason_against(asked.target)
        because = (
            f"{named(asked.target)}, the target day, {reason}" if reason else f"the target is {named(asked.target)}"
        )
        return f"{named(day)} is the open clinic day nearest to the target in {span} ({because}).{more}"

    def _none(self) -> Visit:
        reasons = [reason for day in sorted(self._nearest_first()) if (reason := self._reason(day))]
        full = sum(reason.startswith("is full") for reason in reasons)
        days = "the one open day is full" if full == 1 else f"all {full} open days are full"
        why = f"No free place in {self._span()}, {days}" if full else f"No open clinic day in {self._span()}"
        return Visit(None, f"{why}: a person has to find one.", standing="no-day-free")

    def _late(self) -> Visit:
        before = max(self.asked.today, self.asked.last)
        ahead = (before + timedelta(days=n) for n in range(1, _LOOK_AHEAD + 1))
        day = next((day for day in ahead if self._reason(day) is None), None)
        return self._visit(day) if day else self._none()

    def _span(self) -> str:
        return f"the window {named(self.asked.first)} to {named(self.asked.last)}"


def choose_visit(asked: VisitAsked, days: OpenDays, places: Places, zone: str) -> Visit:
    """The open day with a free place nearest to the target; of two equally near the earlier. `zone`: the clinic's.

    With none `Visit.day` is None and the sentence says why.
    """
    return VisitDay(asked, days, places, zone).chosen()


def named(day: date) -> str:
    """A day as people read it, in English whatever the machine's language."""
    return f"{day:%a} {day.day} {day:%b %Y}"

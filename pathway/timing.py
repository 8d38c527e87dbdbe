"""Time as the clinic means it: partial dates, calendar days in the clinic's zone, offsets and windows.

T0 is a calendar date in the zone of the operating facility. Offsets in days are calendar arithmetic, so that
09:00 stays 09:00 across a change of daylight saving time. Day 14 ends at day 15 00:00.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pathway.errors import InvalidDefinition
from pathway.ports import Resource

_DATE_TIME = re.compile(
    r"^(?P<day>\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?P<zone>Z|[+-]\d{2}:\d{2})?)?$"
)
_BIRTH_DATE = re.compile(r"^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$")
Relationship = Literal[
    "before-start",
    "before",
    "before-end",
    "concurrent-with-start",
    "concurrent",
    "concurrent-with-end",
    "after-start",
    "after",
    "after-end",
]


@dataclass(frozen=True)
class Window:
    """Calendar days, both included. An end that is None is open."""

    first: date | None
    last: date | None

    def period(self) -> Resource:
        """As a FHIR Period of dates (an end that is a date includes the whole day)."""
        days = {"start": self.first, "end": self.last}
        return {name: day.isoformat() for name, day in days.items() if day is not None}

    def in_words(self) -> str:
        return " to ".join(dict.fromkeys(day.isoformat() for day in (self.first, self.last) if day))


@dataclass(frozen=True)
class Moment:
    """When an anchor happens or happened: calendar days in the clinic's zone; `done` once it has ended.

    `at`: the very instant of its end, and `begins` of its beginning, where they are known and count.
    """

    start: date
    end: date
    done: bool = False
    at: datetime | None = None
    begins: datetime | None = None


def calendar_date(value: str, zone: str) -> date | None:
    """The clinic's calendar date of a FHIR date, dateTime or instant.

    None for a partial one (year or month only) and for a day that does not exist.
    """
    match = _DATE_TIME.match(value)
    if match is None:
        return None
    try:
        if match["zone"] is None:
            return date.fromisoformat(match["day"])
        return instant(value).astimezone(ZoneInfo(zone)).date()
    except (ValueError, OverflowError):
        return None


def ages(born: str, day: date) -> list[int]:
    """How many whole years somebody may be on a day, by a FHIR date of birth: two while it is a partial one and does
    not say; none for what is no date, or one still to come.

    Who was born on 29 February is a year older on 1 March in other years.
    """
    match = _BIRTH_DATE.match(born)
    try:
        parts = [int(part) for part in match.groups() if part] if match else []
        first, last = (date(*[*parts, *rest][:3]) for rest in ((1, 1), (12, 28)))
    except (TypeError, ValueError):
        return []
    birthdays = {(first.month, first.day), (last.month, last.day if len(parts) == 3 else 31)}
    years = {day.year - first.year - ((day.month, day.day) < birthday) for birthday in birthdays}
    return sorted(age for age in years if age >= 0)


def instant(value: str) -> datetime:
    """A FHIR instant, or a dateTime that carries its offset, as an aware datetime."""
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"{value} has no time zone")
    return moment


def instant_if_said(value: str) -> datetime | None:
    """The instant of a FHIR dateTime; None where it has no time or no zone, so that only its day is known."""
    match = _DATE_TIME.match(value)
    return instant(value) if match and match["zone"] else None


def wall(day: date, at: time, zone: str) -> datetime:
    """The UTC instant of a wall-clock time: one the clock skips moves forward, of two equal ones the first counts."""
    local = datetime.combine(day, at, ZoneInfo(zone))
    return local.astimezone(UTC)


_LONGEST_CLOSURE = 366


def limit(begun: datetime, quantity: Resource, zone: str, works: Callable[[date], bool]) -> datetime:
    """When a FHIR Duration after `begun` is over: minutes and hours as they pass, days as working days.

    What begins on a day without work begins with the next working day; a clinic that never works counts every day.
    Raises InvalidDefinition for any other unit.
    """
    code, value = str(quantity.get("code")), quantity.get("value")
    if code in ("min", "h") and value is not None:
        return begun + (timedelta(minutes=int(value)) if code == "min" else timedelta(hours=int(value)))
    local = begun.astimezone(ZoneInfo(zone))
    days = [day for n in range(_LONGEST_CLOSURE) if works(day := local.date() + timedelta(days=n))]
    ahead = offset_days(quantity)
    if len(days) <= ahead:
        return wall(local.date() + timedelta(days=ahead), local.time(), zone)
    return wall(days[ahead], local.time() if days[0] == local.date() else time(), zone)


def offset_days(quantity: Resource) -> int:
    """A FHIR Duration in whole days. Raises InvalidDefinition for any unit but days and weeks."""
    factor = {"d": 1, "wk": 7}.get(str(quantity.get("code") or quantity.get("unit")))
    value = quantity.get("value")
    if factor is None or value is None or int(value) != value:
        raise InvalidDefinition(f"An offset must be whole days or weeks (UCUM d, wk), not {quantity!r}")
    return int(value) * factor


def window(anchor: Moment, relationship: str, low: int, high: int) -> Window:
    """The days asked for by `relationship` with an offset of `low`..`high` days.

    before-*: everything up to the offset before the anchor, or from high to low days before it; after-*: from low to
    high days after it.
    """
    side, _, edge = relationship.partition("-")
    base = anchor.end if edge == "end" or relationship == "after" else anchor.start
    if side == "before":
        return Window(base - timedelta(days=high) if high > low else None, base - timedelta(days=low))
    return Window(base + timedelta(days=low), base + timedelta(days=high))


@dataclass(frozen=True)
class Timed:
    """An action's place in time: its window, the instant at which its start condition is looked at, and until when.

    `waits_for` names the anchor whose date is still unknown; `provisional`: the anchor has not happened yet.
    `unreadable`: the anchor, and why what stands where its date should be cannot be read.
    """

    window: Window | None = None
    at: datetime | None = None
    expires: datetime | None = None
    provisional: bool = False
    waits_for: str | None = None
    unreadable: tuple[str, str] | None = None


def timed(
    anchor: Moment, relationship: str, low: int, high: int, zone: str, reminder_time: time, clock: str | None = None
) -> Timed:
    """Where an offset from `anchor` falls; `reminder_time` is on the clock of the zone `clock`, else of `zone`.

    What comes before its anchor is looked at at `reminder_time` of its last day and is pointless once the anchor's
    day has begun; of a range it is looked at on the first day and pointless at that time of the last. What comes after
    is looked at from the start of its first day and never expires.
    """
    days = window(anchor, relationship, low, high)
    if relationship.startswith("before"):
        assert days.last is not None
        last = wall(days.last, reminder_time, clock or zone)
        if days.first is not None:
            return Timed(days, wall(days.first, reminder_time, clock or zone), last)
        return Timed(days, last, wall(anchor.start, time(), zone))
    assert days.first is not None
    at = wall(days.first, time(), zone) if anchor.at is None else anchor.at + timedelta(days=low)
    return Timed(days, at, provisional=not anchor.done)


def offsets(related: Resource) -> tuple[int, int] | None:
    """The offset of a PlanDefinition.action.relatedAction as (low, high) days; None when it has none."""
    if "offsetDuration" in related:
        days = offset_days(related["offsetDuration"])
        return days, days
    if "offsetRange" in related:
        return offset_days(related["offsetRange"]["low"]), offset_days(related["offsetRange"]["high"])
    return None

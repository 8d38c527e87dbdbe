"""FHIR's partial dates as intervals of time (R4, search 3.1.1.4.5 and datatypes `date`, `dateTime`, `instant`).

A moment is UTC text, `2026-03-01T08:30:00.000000Z`: such texts sort as the moments do. A value without a zone is read
as UTC. Digits finer than a microsecond are dropped; a leap second counts as the second before it.
"""

from __future__ import annotations

import re
from datetime import MAXYEAR, UTC, datetime, timedelta

Interval = tuple[str | None, str | None]

_FIRST = "0001-01-01T00:00:00.000000Z"
_LAST = "9999-12-31T23:59:59.999999Z"
_PARTIAL = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)


def interval(text: str) -> Interval:
    """First moment and the moment after the last one of a date, dateTime or instant; minutes are allowed as in search.

    An end beyond the year 9999 is None (open), a beginning before the year 1 likewise. ValueError: no such date.
    """
    found = _PARTIAL.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is not a FHIR date")
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        first = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), _second(second), tzinfo=UTC
        )
    except ValueError as error:
        raise ValueError(f"{text!r} is not a date that exists") from error
    digits = (fraction or "")[:6]
    first = first.replace(microsecond=int(digits.ljust(6, "0")) if digits else 0)
    if second:
        length = timedelta(microseconds=10 ** (6 - len(digits)))
    elif hour:
        length = timedelta(minutes=1)
    else:
        length = _calendar_length(first, month, day)
    offset = _offset(zone)
    return _moment(first, -offset, None, _LAST), _moment(first, length - offset, _FIRST, None)


def later(start: str, end: str) -> bool:
    """Whether `start` is certainly after `end`, compared only as precisely as both are given.

    A date without a time has no zone: against a time it is compared as the calendar date written there.
    """
    if "T" in start and "T" in end:
        return (interval(start)[0] or "") >= (interval(end)[1] or "9999-12-31T24")
    length = min(len(start[:10]), len(end[:10]))
    return start[:length] > end[:length]


def _second(text: str | None) -> int:
    return min(int(text or 0), 59)


def _calendar_length(first: datetime, month: str | None, day: str | None) -> timedelta:
    if day:
        return timedelta(days=1)
    year_after, month_after = (first.year + 1, 1) if not month or first.month == 12 else (first.year, first.month + 1)
    if year_after > MAXYEAR:
        return timedelta(days=366)
    return datetime(year_after, month_after, 1, tzinfo=UTC) - first


def _offset(zone: str | None) -> timedelta:
    if not zone or zone == "Z":
        return timedelta(0)
    size = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
    return -size if zone[0] == "-" else size


def _moment(first: datetime, shift: timedelta, before: str | None, beyond: str | None) -> str | None:
    try:
        return (first + shift).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    except OverflowError:
        return before if shift < timedelta(0) else beyond

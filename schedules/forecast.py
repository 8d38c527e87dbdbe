"""How full the clinic's days will be: visits that have a day, and those of surgeries that lie ahead. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from schedules.calendar import OpenDays


@dataclass(frozen=True)
class Placed:
    """A visit that has a day; `booked`, or proposed to the hospital."""

    day: date
    booked: bool


@dataclass(frozen=True)
class Wanted:
    """A visit without a day: its window, both ends included, and the day it would best be on."""

    first: date
    last: date
    target: date


@dataclass(frozen=True)
class ClinicDay:
    """One day: visits `booked` and `proposed` on it, `expected` to be put there, and its places; no limit is null.

    `closed`: why there is no clinic. Visits may stand on a closed day: somebody at the hospital booked them so.
    """

    day: date
    booked: int
    proposed: int
    expected: int
    places: int | None
    closed: str | None


@dataclass(frozen=True)
class WindowPressure:
    """One window that visits without a day will fall into: how many, the places left in it (no limit is null), and how
    many of these visits find none, because others are there before them."""

    first: date
    last: date
    visits: int
    places_left: int | None
    without_place: int


@dataclass(frozen=True)
class Forecast:
    """`no_place_from`: the first day of the earliest window in which a visit will find no place."""

    first: date
    last: date
    days: Sequence[ClinicDay]
    windows: Sequence[WindowPressure]
    no_place_from: date | None


def forecast(
    open_days: OpenDays, placed: Sequence[Placed], wanted: Sequence[Wanted], today: date, weeks: int
) -> Forecast:
    """From `today` on. Visits without a day are put, the earliest window first, on the open day nearest to their target
    that has a place, as the chooser does it; what has a day is not moved for them.
    """
    capacity = open_days.calendar.capacity
    booked, proposed = (Counter(one.day for one in placed if one.booked is kind) for kind in (True, False))
    taken, expected, without = booked + proposed, Counter[date](), Counter[Wanted]()
    ahead = sorted((one for one in wanted if one.last >= today), key=lambda one: (one.first, one.last, one.target))
    for one in ahead:
        day = _nearest(open_days, one, today, taken + expected)
        if day is None:
            without[one] += 1
        else:
            expected[day] += 1
    last = today + timedelta(days=7 * weeks - 1)
    every = [today + timedelta(days=number) for number in range(7 * weeks)]
    return Forecast(
        first=today,
        last=last,
        days=[
            ClinicDay(day, booked[day], proposed[day], expected[day], None if closed else capacity, closed)
            for day in every
            for closed in [open_days.closed(day)]
        ],
        windows=list(_windows(open_days, [one for one in ahead if one.first <= last], today, taken, without)),
        no_place_from=min((max(one.first, today) for one in without), default=None),
    )


def _nearest(open_days: OpenDays, wanted: Wanted, today: date, taken: Counter[date]) -> date | None:
    capacity = open_days.calendar.capacity
    days = open_days.between(max(wanted.first, today), wanted.last)
    free = [day for day in days if capacity is None or taken[day] < capacity]
    return min(free, key=lambda day: (abs((day - wanted.target).days), day), default=None)


def _windows(
    open_days: OpenDays, ahead: Sequence[Wanted], today: date, taken: Counter[date], without: Counter[Wanted]
) -> Iterator[WindowPressure]:
    capacity = open_days.calendar.capacity
    for (first, last), visits in sorted(Counter((one.first, one.last) for one in ahead).items()):
        days = open_days.between(max(first, today), last)
        left = None if capacity is None else sum(max(capacity - taken[day], 0) for day in days)
        lacking = sum(number for one, number in without.items() if (one.first, one.last) == (first, last))
        if not days:
            left = 0
        yield WindowPressure(first, last, visits, left, lacking)

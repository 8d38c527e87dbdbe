"""Which day is asked for a visit: in its window and from tomorrow on; once none is left there, after it, and said so.

A day that has passed is never proposed. A clinic without any open day in the whole window is another matter: no day
is proposed and a person has to find one, as long as the window lasts.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from pathway.ports import Resource, Visit, VisitChooser
from pathway.timing import Window

_DAYS_AFTER = 60


def day_of_visit(choose: VisitChooser, window: Window, target: date, earliest: date) -> Visit:
    """The visit on a day from `earliest` on; `Visit.outside` when it lies after the window. Both ends must be known."""
    first, last = window.first, window.last
    assert first is not None
    assert last is not None
    whole = choose(first, last, target)
    if earliest <= first:
        return whole
    rest = choose(earliest, last, max(target, earliest)) if earliest <= last else None
    if rest is not None and rest.day is not None:
        return rest if rest.day == whole.day else replace(rest, why=f"{rest.why} Earlier days have passed.")
    if rest is not None and whole.day is None:
        return whole
    return _after(choose, first, last, earliest)


def _after(choose: VisitChooser, first: date, last: date, earliest: date) -> Visit:
    start = max(earliest, last + timedelta(days=1))
    found = choose(start, start + timedelta(days=_DAYS_AFTER), start)
    outside = f"Outside the window {_named(first)} to {_named(last)}, in which no open day is left"
    if found.day is None:
        return Visit(None, f"{outside}, no day is open for {_DAYS_AFTER} days either: a person has to find one.")
    why = f"{outside}: {_named(found.day)} is the earliest open clinic day after it."
    return Visit(found.day, f"{why} {found.caveat}".rstrip(), outside=True, caveat=found.caveat)


def earliest_day(existing: Resource | None, today: date) -> date:
    """From when on a visit can be proposed: tomorrow, or today where that is what is proposed already."""
    proposed = {period.get("start") for period in (existing or {}).get("requestedPeriod", [])}
    return today if today.isoformat() in proposed else today + timedelta(days=1)


def _named(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"

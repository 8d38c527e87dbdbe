"""Window + calendar -> the day of a visit and the reason, as one sentence. Deterministic."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from pathway.ports import Visit
from schedules.calendar import OpenDays


def choose_visit(days: OpenDays, first: date, last: date, target: date) -> Visit:
    """The open day nearest to `target` inside `first`..`last` (both included); of two equally near the earlier.

    Never outside the window: with no open day `Visit.day` is None and the sentence says why (fu-first-visit). Of years
    whose public holidays are not known this is said (`Visit.caveat`).
    """
    visit, caveat = _nearest(days, first, last, target), days.caveat(first, last)
    return replace(visit, why=f"{visit.why} {caveat}", caveat=caveat) if caveat else visit


def _nearest(days: OpenDays, first: date, last: date, target: date) -> Visit:
    candidates = days.between(first, last)
    span = f"the window {_named(first)} to {_named(last)}"
    if not candidates:
        return Visit(None, f"No open clinic day in {span}: a person has to find one.")
    day = min(candidates, key=lambda candidate: (abs((candidate - target).days), candidate))
    if day == target:
        return Visit(day, f"{_named(day)} is the target day in {span}, and the clinic is open.")
    reason = days.closed(target)
    closed = f"{_named(target)}, the target day, is closed: {reason}" if reason else f"the target is {_named(target)}"
    return Visit(day, f"{_named(day)} is the open clinic day nearest to the target in {span} ({closed}).")


def _named(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"

"""What an outage did: late, suppressed, waiting, and who is called first."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from pathway.due_work import DueWork
from schedules.downtime import StandingVisit, consequences

DUE = datetime(2026, 3, 20, 8, tzinfo=UTC)
BEGAN, ENDED = date(2026, 3, 20), date(2026, 3, 22)


def work(care_plan: str = "CarePlan/1", **more: Any) -> DueWork:
    same: dict[str, Any] = {"wall_time": "2026-03-20T09:00:00", "zone": "Europe/Berlin", "care_plan": care_plan}
    same |= {"action": "fu-attend-all-3d", "why": "Reminder", "state": "done"}
    return DueWork(f"{care_plan}:remind", "start", DUE, **(same | more))


def visit(care_plan: str = "CarePlan/1", **more: Any) -> StandingVisit:
    same: dict[str, Any] = {"first": date(2026, 3, 23), "last": date(2026, 3, 30)}
    return StandingVisit(care_plan, f"Task/{care_plan[-1]}", **(same | more))


def test_what_came_within_minutes_was_not_late() -> None:
    on_time = work(released_at=DUE + timedelta(minutes=10))
    late = work("CarePlan/2", released_at=DUE + timedelta(hours=30))
    found = consequences([on_time, late], [], BEGAN, ENDED)
    assert [(one.work.care_plan, one.fate) for one in found.affected] == [("CarePlan/2", "late")]
    assert "30 hours late" in found.affected[0].sentence


def test_expired_work_was_suppressed_and_open_work_still_waits() -> None:
    found = consequences([work(state="expired"), work(state="scheduled"), work(state="cancelled")], [], BEGAN, ENDED)
    assert [found.number(fate) for fate in ("late", "suppressed", "waiting")] == [0, 1, 1]


def test_those_whose_day_comes_first_are_called_first() -> None:
    soon = visit("CarePlan/1", day=date(2026, 3, 23), booked=True)
    missed = visit("CarePlan/2", first=date(2026, 3, 14), last=date(2026, 3, 21), day=date(2026, 3, 21), booked=True)
    unbooked = visit("CarePlan/3", first=date(2026, 3, 18), last=date(2026, 3, 25))
    untouched = visit("CarePlan/4", first=date(2026, 4, 1), last=date(2026, 4, 8))
    found = consequences([work(state="expired")], [soon, missed, unbooked, untouched], BEGAN, ENDED)
    assert [call.care_plan for call in found.calls] == ["CarePlan/2", "CarePlan/1", "CarePlan/3"]
    assert "during the outage" in found.calls[0].why[0]
    assert "not sent" in found.calls[1].why[0]
    assert "not booked" in found.calls[2].why[0]


def test_a_visit_that_is_over_is_no_reason_to_call() -> None:
    assert consequences([work(state="expired")], [], BEGAN, ENDED).calls == []

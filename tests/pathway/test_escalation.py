"""Who is due to be called, at the boundaries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from pathway.escalation import AlertLadder, Priority, Tried, calls_due, ladder

RAISED = datetime(2026, 3, 2, 8, tzinfo=UTC)
DESK, SURGEON, HEAD = "desk@hospital.example", "https://pager.example/surgeon", "head@hospital.example"
STEPS: list[dict[str, Any]] = [
    {"label": "desk", "to": [DESK]},
    {"label": "surgeon", "after_minutes": 15, "to": [SURGEON]},
    {"label": "head", "after_minutes": 60, "stat_after_minutes": 10, "to": [HEAD]},
]
LADDER = AlertLadder.model_validate({"steps": STEPS, "repeat_minutes": 30, "stat_repeat_minutes": 5})


def due(seconds: float, tried: dict[str, Tried], priority: Priority = "urgent", **options: bool) -> list[str]:
    now = RAISED + timedelta(seconds=seconds)
    return [call.label for call in calls_due(ladder(LADDER, priority), RAISED, tried, now, **options)]


@pytest.mark.parametrize(
    ("priority", "seconds", "expected"),
    [
        ("urgent", -1, []),
        ("urgent", 0, ["desk"]),
        ("urgent", 899, ["desk"]),
        ("urgent", 900, ["desk", "surgeon"]),
        ("urgent", 3599, ["desk", "surgeon"]),
        ("urgent", 3600, ["desk", "surgeon", "head"]),
        ("stat", 299, ["desk"]),
        ("stat", 300, ["desk", "surgeon"]),
        ("stat", 600, ["desk", "surgeon", "head"]),
    ],
)
def test_a_step_is_due_from_its_minute_on(priority: Priority, seconds: int, expected: list[str]) -> None:
    assert due(seconds, {}, priority) == expected
    assert due(seconds, {}, priority, acknowledged=True) == []


def test_who_took_the_call_is_called_again_after_the_interval() -> None:
    tried = {DESK: Tried(RAISED), SURGEON: Tried(RAISED + timedelta(minutes=15))}
    assert due(1799, tried) == []
    assert due(1800, tried) == ["desk"]
    assert due(2700, tried) == ["desk", "surgeon"]


@pytest.mark.parametrize(("failures", "pause"), [(1, 5), (2, 10), (3, 20), (7, 300), (5000, 300)])
def test_who_could_not_be_reached_is_tried_again_soon(failures: int, pause: int) -> None:
    tried = {DESK: Tried(RAISED, failures)}
    assert due(pause - 1, tried) == []
    assert due(pause, tried) == ["desk"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"steps": []}, "at least 1 item"),
        ({"steps": [{"label": "a", "after_minutes": 5, "to": [DESK]}]}, "must be at once"),
        ({"steps": [STEPS[0], STEPS[0]]}, "label of its own"),
        ({"steps": [STEPS[0], {**STEPS[1], "to": [DESK]}]}, "one place only"),
        ({"steps": [STEPS[0], STEPS[2], STEPS[1]]}, "must come later than head"),
        ({"steps": [STEPS[0], {**STEPS[1], "stat_after_minutes": 20}]}, "must not be later"),
        ({"steps": [{"label": "a", "to": ["ftp://x"]}]}, "must be a mail address"),
        ({"steps": [{"label": "a", "to": ["a@b\nBcc: c@d"]}]}, "must be a mail address"),
        ({"steps": STEPS, "repeat_minutes": 1}, "must not be longer"),
    ],
)
def test_a_ladder_that_cannot_be_meant_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        AlertLadder.model_validate(wrong)

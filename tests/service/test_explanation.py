"""An explanation in a terminal: every action with its mark, one action with all there is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from rich.console import Console, RenderableType

from pathway.apply import Explanation
from pathway.errors import NotFound
from pathway.explain import explained, told
from pathway.expressions import Evaluation
from pathway.issues import Issue
from pathway.looking import Looked
from pathway.ports import Kept, Resource
from service.explanation import details, overview

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PLAN = {"resourceType": "CarePlan", "id": "1", "instantiatesCanonical": ["https://x.example/PlanDefinition/p|2"]}
LABS = Evaluation("%Form.labs", "missing", (), (("Form", ()),))
DONE = Evaluation("%operation.exists()", "true", (True,), (("operation", ("Procedure/1/_history/3",)),))
BROKEN = Evaluation("%Form.[labs]", "failed", (), (), "it is no list")
ACTIONS: dict[str, Resource] = {
    "visit": {
        "id": "visit",
        "title": "Visit [first]",
        "documentation": [{"type": "derived-from", "label": "fu-first-visit"}],
        "condition": [
            {"kind": "applicability", "expression": {"expression": "%operation.exists()", "description": "done"}},
            {"kind": "stop", "expression": {"expression": "%Visit.exists()", "description": "seen"}},
        ],
    },
    "labs": {"id": "labs", "title": "Blood tests"},
    "scar": {"id": "scar", "title": "Care of the scar"},
    "flags": {"id": "flags", "title": "Red flags"},
}


def answer(author: str = "") -> Resource:
    explanations = [
        Explanation("flags", "", False, "nothing has led to it yet"),
        Explanation("visit", "d1", True, "day 10", {"targetDay": 10}, (Looked("condition[0]", "done", DONE),)),
        Explanation("labs", "d1", False, "unknown: asked for", {}, (Looked("condition[0]", "asked for", LABS),)),
        Explanation("scar", "d1", False, "cannot be said", {}, (Looked("condition[0]", "wished", BROKEN),)),
    ]
    body = explained(PLAN, explanations, ACTIONS, [Issue("error", "processing", "Action scar: it is no list")])
    return told(Kept(4, NOON, NOON, "Procedure/1", body, author))


def lines(shown: RenderableType, width: int = 110) -> list[str]:
    console = Console(width=width, highlight=False, color_system=None)
    with console.capture() as captured:
        console.print(shown)
    return [" ".join(line.split()) for line in captured.get().splitlines()]


def test_every_action_has_a_mark_its_title_the_reason_and_its_id() -> None:
    shown = lines(overview(answer()))
    assert "CarePlan/1, version 4" in shown
    assert "As of 2026-03-02 12:00 UTC on the clinical clock, set off by Procedure/1" in shown
    assert "– Red flags nothing has led to it yet flags" in shown
    assert "✓ Visit [first] day 10 visit" in shown
    assert "? Blood tests unknown: asked for labs" in shown
    assert "! Care of the scar cannot be said scar" in shown
    assert shown.index("For the whole plan") < shown.index("– Red flags nothing has led to it yet flags")
    assert shown.index("For d1") < shown.index("✓ Visit [first] day 10 visit")
    assert shown[-1] == "Action scar: it is no list"


def test_one_action_with_its_expressions_values_and_statements() -> None:
    shown = lines(details(answer("Practitioner/1"), "visit"))
    assert "As of 2026-03-02 12:00 UTC on the clinical clock, set off by Procedure/1, wanted by Practitioner/1" in shown
    for line in (
        "✓ Visit [first]",
        "visit for d1",
        "in the plan: day 10",
        "done → true",
        "condition[0] %operation.exists()",
        "read %operation: Procedure/1/_history/3",
        "seen → not looked at",
        "targetDay = 10",
        "fu-first-visit: The first visit lies seven to fourteen days after surgery, both days included.",
    ):
        assert line in shown, line
    assert "Blood tests" not in " ".join(shown)


def test_what_is_missing_and_what_failed_are_told_apart() -> None:
    labs, scar = lines(details(answer(), "labs")), lines(details(answer(), "scar"))
    assert "asked for → missing: nothing is recorded" in labs
    assert "read %Form: nothing is there" in labs
    assert "wished → failed" in scar
    assert "it is no list" in scar


def test_an_action_that_the_plan_does_not_have() -> None:
    with pytest.raises(NotFound, match="no action 'rest'; its actions are flags, labs, scar, visit"):
        details(answer(), "rest")

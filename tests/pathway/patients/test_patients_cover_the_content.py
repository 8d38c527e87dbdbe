"""All patients together meet every rule, row, warning sign and action of the pathway, and some are spared each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pathway.assessment import TABLE
from pathway.codes import PLAN, RED_FLAG
from pathway.library import Library
from pathway.ports import Resource
from tests.pathway.patients.conftest import Lived
from tests.pathway.patients.course import Course
from tests.pathway.patients.everyone import EVERYONE
from tests.pathway.patients.rules import RULES
from tools.content_coverage import statements


@pytest.fixture(scope="module")
def courses(lived: Lived) -> list[Course]:
    return [lived(patient) for patient in EVERYONE]


def test_there_are_at_least_forty() -> None:
    assert len(EVERYONE) >= 40
    assert all(patient.who.endswith(".") for patient in EVERYONE)


def test_every_rule_of_the_content_is_one_here() -> None:
    assert RULES.keys() == {s["id"] for s in statements() if s["id"].startswith("rule-")}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_applies_to_somebody_and_not_to_somebody_else(rule: str) -> None:
    assert [patient.name for patient in EVERYONE if rule in patient.shows]
    assert [patient.name for patient in EVERYONE if rule in patient.spared]


@pytest.mark.parametrize("row", [row.order for row in TABLE])
def test_each_row_of_the_decision_table_proposes_for_somebody(row: int, courses: list[Course]) -> None:
    assert [c.patient.name for c in courses if c.patient.row == row and (found := c.proposal()) and found.row == row]


def test_each_warning_sign_is_raised_for_somebody_and_not_for_somebody_else(
    content: Library, courses: list[Course]
) -> None:
    system = content.find_code_system(RED_FLAG)
    assert system is not None
    for sign in (concept["code"] for concept in system["concept"]):
        assert [c.patient.name for c in courses if c.clinic.ours("Flag", sign)], sign
        assert [c.patient.name for c in courses if sign in c.patient.not_asked and not c.requests(sign)], sign


def test_each_action_is_asked_of_somebody_and_each_conditional_one_is_left_out_for_somebody(
    content: Library, courses: list[Course]
) -> None:
    asked = {action for course in courses for action in course.actions()}
    left_out = {said.action for course in courses for said in course.said if said.left_out}
    wanting = []
    for action, above in below(content.plan(PLAN)["action"]):
        own = conditions(action) - {one for outer in above for one in conditions(outer)}
        if "definitionCanonical" in action and action["id"] not in asked:
            wanting.append(f"{action['id']}: asked of nobody")
        if own and action["id"] not in left_out:
            wanting.append(f"{action['id']}: left out for nobody")
        if conditions(action) and not own and not left_out & {outer["id"] for outer in above}:
            wanting.append(f"{action['id']}: the group it shares its condition with is left out for nobody")
    assert not wanting, "\n".join(wanting)


def below(actions: list[Resource], above: tuple[Resource, ...] = ()) -> Iterator[tuple[Resource, tuple[Resource, ...]]]:
    """Every action with those it is inside of."""
    for action in actions:
        yield action, above
        yield from below(action.get("action", []), (*above, action))


def conditions(action: Resource) -> set[str]:
    """What can keep an action out: a `stop` condition completes it, and keeps nothing out."""
    return {c["expression"]["expression"] for c in action.get("condition", []) if c["kind"] != "stop"}

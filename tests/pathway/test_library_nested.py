"""Plans inside plans, and forms that a plan names directly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pathway import codes
from pathway.elements import actions_of
from pathway.library import Library
from pathway.nested import expand, nested_plan_of
from pathway.requests import forms_of
from tests.pathway.test_library_refusals import BASE, Json, action, activity, form, head, refusal, save
from tests.pathway.test_library_support import CHOICE, SURGEON, condition, timed


def plan(id: str, *actions: Json, **more: Any) -> Json:
    return head("PlanDefinition", id) | {"action": list(actions)} | more


def nesting(id: str, name: str, **more: Any) -> Json:
    return action(id, f"PlanDefinition/{name}") | more


def operation(*inner: Json) -> Json:
    repeated = {"trigger": [CHOICE], "cardinalityBehavior": "multiple", "action": list(inner)}
    return action("operation", "ActivityDefinition/operation|1") | repeated


OPERATION = activity("operation") | {"kind": "ServiceRequest"}


def library(*definitions: Json) -> Library:
    everything = [activity(), OPERATION, form(), *definitions]
    assert Library.check(everything) == []
    return Library(everything)


def messages(*definitions: Json) -> list[str]:
    return [f"{p.file}: {p.element}: {p.message}" for p in Library.check([activity(), OPERATION, form(), *definitions])]


def ids(found: Json) -> list[str]:
    return [one["id"] for _, one in actions_of(found)]


def url(name: str) -> str:
    return f"{BASE}/PlanDefinition/{name}"


def test_the_actions_of_a_nested_plan_stand_below_the_action_that_names_it() -> None:
    outer = plan("outer", nesting("care", "inner", title="Care", action=[{"id": "own"}]), {"id": "end"})
    inner = plan("inner", action("visit"), nesting("more", "innermost"))
    whole = library(outer, inner, plan("innermost", action("last"))).plan(url("outer"))
    assert ids(whole) == ["care", "own", "visit", "more", "last", "end"]
    care = whole["action"][0]
    assert (care["title"], "definitionCanonical" in care) == ("Care", False)
    assert nested_plan_of(care) == f"{url('inner')}|1"
    assert nested_plan_of(care["action"][2]) == f"{url('innermost')}|1"
    assert nested_plan_of(care["action"][1]) is None


def test_the_goals_of_a_nested_plan_come_after_the_own_ones() -> None:
    goals = {name: [{"id": name, "description": {"text": name}}] for name in ("walk", "heal")}
    outer = plan("outer", nesting("care", "inner"), goal=goals["walk"])
    whole = library(outer, plan("inner", action() | {"goalId": ["heal"]}, goal=goals["heal"])).plan(url("outer"))
    assert whole["goal"] == [*goals["walk"], *goals["heal"]]


def test_a_plan_stays_as_it_was_written_and_is_expanded_once() -> None:
    outer, inner = plan("outer", nesting("care", "inner")), plan("inner", action())
    both = library(outer, inner)
    assert both.plan_as_written(url("outer")) is outer
    assert both.plan(url("outer")) is both.plan(f"{url('outer')}|1")
    assert both.plan(url("inner")) is inner
    assert both.plans() == [outer, inner]


def test_the_newest_version_is_nested_unless_one_is_named() -> None:
    old, new = plan("inner", action("old")), plan("inner", action("new")) | {"version": "2"}
    names = {"inner": ["care", "new"], "inner|1": ["care", "old"]}
    for name, expected in names.items():
        whole = expand(plan("outer", nesting("care", name)), Library([activity(), old, new]))
        assert ids(whole) == expected


def test_the_place_in_time_counts_for_what_has_none_of_its_own() -> None:
    outer = plan("outer", operation(nesting("care", "inner", relatedAction=[timed("operation")])))
    appointment = activity("appointment") | {"kind": "Appointment"}
    own = timed("visit", "before-start")
    beside = {"actionId": "visit", "relationship": "concurrent"}
    inner = plan(
        "inner",
        action("visit", "ActivityDefinition/appointment"),
        {"id": "group", "action": [action("check") | {"condition": [condition("start")], "relatedAction": [beside]}]},
        action("reminder") | {"relatedAction": [own]},
    )
    whole = library(outer, inner, appointment).plan(url("outer"))
    related = {one["id"]: one.get("relatedAction") for _, one in actions_of(whole)}
    assert related == {
        "operation": None,
        "care": None,
        "visit": [timed("operation")],
        "group": None,
        "check": [beside, timed("operation")],
        "reminder": [own],
    }


def test_expressions_may_name_nested_actions_from_outside_only() -> None:
    waits = action("waits") | {"condition": [condition(text="%Visit.exists()")]}
    outer, inner = plan("outer", nesting("care", "inner"), waits), plan("inner", action())
    assert "Visit" in library(outer, inner).names(outer)
    inner["action"][0]["condition"] = [condition(text="%Waits.exists()")]
    [found] = messages(outer, inner)
    assert found.startswith(
        "PlanDefinition-inner.json: PlanDefinition.action[0].condition[0].expression.expression: %Wa"
    )


@pytest.mark.parametrize(
    ("plans", "circle"),
    [
        ([plan("a", nesting("x", "a"))], ["a", "a"]),
        ([plan("a", nesting("x", "b")), plan("b", {"id": "g", "action": [nesting("y", "a|1")]})], ["a", "b", "a"]),
        (
            [plan("a", nesting("x", "b")), plan("b", nesting("y", "c")), plan("c", nesting("z", "a"))],
            ["a", "b", "c", "a"],
        ),
    ],
)
def test_refuses_plans_that_contain_each_other(plans: list[Json], circle: list[str]) -> None:
    found = messages(*plans)
    assert len(found) == len(plans)
    way = " -> ".join(map(url, circle))
    assert found[0] == f"PlanDefinition-a.json: PlanDefinition.action: plans contain each other: {way}"
    *_, last = [one for _, one in actions_of(Library(plans).plan(url("a")))]
    assert last["definitionCanonical"].partition("|")[0] == url("a")


def test_refuses_every_definition_that_is_not_there() -> None:
    outer = plan("outer", nesting("a", "inner"), action("b", "ActivityDefinition/gone"), nesting("c", "inner|2"))
    sentence = "definitionCanonical: there is no definition"
    assert messages(outer, plan("inner", action("d", "Questionnaire/form|3"))) == [
        f"PlanDefinition-outer.json: PlanDefinition.action[1].{sentence} {BASE}/ActivityDefinition/gone",
        f"PlanDefinition-outer.json: PlanDefinition.action[2].{sentence} {url('inner')}|2",
        f"PlanDefinition-inner.json: PlanDefinition.action[0].{sentence} {BASE}/Questionnaire/form|3",
    ]


def test_refuses_an_id_that_two_plans_use_and_names_both() -> None:
    inner = plan("inner", action())
    expected = f"the id 'visit' is used by {url('outer')}|1 and again by {url('inner')}|1"
    assert messages(plan("outer", action(), nesting("care", "inner")), inner) == [
        f"PlanDefinition-outer.json: PlanDefinition.action[1]: {expected}"
    ]
    twice = f"the id 'visit' is used by {url('inner')}|1 and again by {url('inner')}|1"
    assert messages(plan("outer", nesting("one", "inner"), nesting("two", "inner")), inner) == [
        f"PlanDefinition-outer.json: PlanDefinition.action[1]: {twice}"
    ]


def test_refuses_a_goal_that_two_plans_have() -> None:
    goal = [{"id": "heal", "description": {"text": "Heal"}}]
    [found] = messages(plan("outer", nesting("care", "inner"), goal=goal), plan("inner", action(), goal=goal))
    assert found.endswith("PlanDefinition.goal: the id 'heal' is used by several goals, here or in nested plans")


def test_what_a_nested_plan_lacks_in_its_place_is_refused_there() -> None:
    inner = plan("inner", action() | {"condition": [condition("start")]})
    assert messages(plan("outer", operation(nesting("care", "inner"))), inner) == [
        f"PlanDefinition-outer.json: PlanDefinition.action[0].action[0]: action 'visit' of {url('inner')}|1: "
        "a start condition is looked at on a day: it needs an offset"
    ]


def test_who_does_a_nested_plan_is_said_in_it() -> None:
    [found] = messages(plan("outer", nesting("care", "inner", participant=[SURGEON])), plan("inner", action()))
    assert found.endswith(
        "PlanDefinition.action[0].participant: has no effect here: the action leads to no request itself"
    )


def test_a_broken_nested_plan_is_named_and_the_outer_one_is_still_looked_at(tmp_path: Path) -> None:
    outer = plan("outer", nesting("care", "inner"), action("b", "ActivityDefinition/gone"))
    for resource in (activity(), outer, plan("inner") | {"action": "none"}):
        save(tmp_path, resource)
    assert [line.split(": ")[0] for line in refusal(tmp_path)] == [
        "PlanDefinition-inner.json",
        "PlanDefinition-outer.json",
    ]


@pytest.mark.parametrize("version", ["", "|1"])
def test_a_form_that_an_action_names_is_asked_for_by_a_task(version: str) -> None:
    asked = form() | {"title": "A form", "description": "How are you?"}
    both = Library([asked, activity(), plan("outer", action("ask", f"Questionnaire/form{version}"))])
    asking = both.activity(f"{BASE}/Questionnaire/form{version}")
    assert (asking["kind"], asking["title"], asking["description"]) == ("Task", "A form", "How are you?")
    assert forms_of(asking) == [f"{BASE}/Questionnaire/form|1"]
    [coding] = asking["code"]["coding"]
    assert (coding["system"], coding["code"]) == (codes.SDC_TASK, "complete-questionnaire")
    assert Library.check([*both.resources(), asking | {"id": "a", "url": f"{BASE}/a", "version": "1"}]) == []


def test_an_action_that_names_a_form_may_do_what_a_task_may() -> None:
    asking = action("ask", "Questionnaire/form") | {
        "participant": [SURGEON],
        "condition": [condition("stop", "%Form.exists()")],
    }
    assert messages(plan("outer", asking)) == []


def test_loads_several_folders_as_one(tmp_path: Path) -> None:
    for name, resource in (("one", activity()), ("two", plan("outer", action()))):
        (tmp_path / name).mkdir()
        save(tmp_path / name, resource)
    assert len(Library.load(tmp_path / "one", tmp_path / "two").resources()) == 2
    assert refusal(tmp_path / "two") == [
        "PlanDefinition-outer.json: PlanDefinition.action[0].definitionCanonical: "
        f"there is no definition {BASE}/ActivityDefinition/visit|1"
    ]

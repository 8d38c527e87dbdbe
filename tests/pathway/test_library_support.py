"""What the engine would ignore or could never do is refused when it is loaded, with the element and what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from pathway import codes
from pathway.library import Library
from tests.pathway.test_library_refusals import BASE, Json, action, activity, expression, form, head

CHOICE = {"type": "data-added", "data": [{"type": "QuestionnaireResponse"}]}
SURGEON = {"type": "practitioner", "role": {"coding": [{"system": codes.ROLE, "code": "surgeon"}]}}


def days(value: float, code: str = "d", **more: Any) -> Json:
    return {"value": value, "system": "http://unitsofmeasure.org", "code": code, **more}


def timed(anchor: str, relationship: str = "after-end", **offset: Json) -> Json:
    return {
        "actionId": anchor,
        "relationship": relationship,
        **(offset or {"offsetDuration": days(3)}),
    }


def condition(kind: str = "applicability", text: str = "%data.exists()") -> Json:
    return {"kind": kind, "expression": expression(text)}


def plan(*inner: Json, **surgery: Any) -> Json:
    """A repeated operation with actions below it, a visit with a date, and something to tell a patient."""
    operation = action("operation", "ActivityDefinition/operation") | {
        "trigger": [CHOICE],
        "cardinalityBehavior": "multiple",
        "action": [action("appointment", "ActivityDefinition/appointment"), *inner],
    }
    return head("PlanDefinition", "plan") | {"action": [operation | surgery]}


def set_of(changed: Json) -> list[Json]:
    kinds = {"operation": "ServiceRequest", "appointment": "Appointment", "visit": "Task"}
    activities = [activity(id) | {"kind": kind} for id, kind in kinds.items()]
    named = {(r["resourceType"], r["id"]): r for r in (*activities, form(), plan(action()))}
    return list((named | {(changed["resourceType"], changed["id"]): changed}).values())


def problems(changed: Json) -> list[str]:
    return [f"{problem.element}: {problem.message}" for problem in Library.check(set_of(changed))]


VISIT = "PlanDefinition.action[0].action[1]"
ACTION: list[tuple[str, Json, str]] = [
    ("transform", {"transform": "http://x"}, "transform: is not supported by this engine: set elements by"),
    ("a time of its own", {"timingDateTime": "2026-01-01"}, "timingDateTime: is not supported by this engine: say the"),
    ("a priority", {"priority": "urgent"}, "priority: is not supported by this engine: set it in the Activity"),
    ("input", {"input": [{"type": "Patient"}]}, "input: is not supported by this engine"),
    ("output", {"output": [{"type": "Patient"}]}, "output: is not supported by this engine"),
    ("a type", {"type": {"text": "create"}}, "type: is not supported by this engine"),
    (
        "a modifier extension",
        {"modifierExtension": [{"url": "http://x", "valueBoolean": True}]},
        "modifierExtension: is not supported by this engine: it could change the meaning",
    ),
    ("grouping", {"groupingBehavior": "heap"}, "groupingBehavior: 'heap' is not one of"),
    ("selection", {"selectionBehavior": "two"}, "selectionBehavior: 'two' is not one of"),
    ("required", {"requiredBehavior": "perhaps"}, "requiredBehavior: 'perhaps' is not one of"),
    ("precheck", {"precheckBehavior": "maybe"}, "precheckBehavior: 'maybe' is not one of no, yes"),
    ("cardinality", {"cardinalityBehavior": "many"}, "cardinalityBehavior: 'many' is not one of multiple, single"),
    ("no trigger", {"cardinalityBehavior": "multiple"}, "cardinalityBehavior: what comes several times needs"),
    ("a goal that is not there", {"goalId": ["well"]}, "goalId[0]: there is no goal 'well'"),
    ("a start without a day", {"condition": [condition("start")]}, "condition[0]: a start condition is looked at on a"),
    ("no expression", {"condition": [{"kind": "stop"}]}, "condition[0].expression: there is no expression"),
    (
        "an expression elsewhere",
        {"condition": [{"kind": "stop", "expression": expression("true") | {"reference": "http://x"}}]},
        "condition[0].expression.reference: is not supported by this engine",
    ),
    (
        "a participant without a role",
        {"participant": [{"type": "practitioner"}]},
        f"participant[0].role: has no code of {codes.ROLE}: nobody would own the work",
    ),
    (
        "a role in words",
        {"participant": [{"type": "practitioner", "role": {"text": "surgeon"}}]},
        "participant[0].role: has no code of",
    ),
    ("a strange participant", {"participant": [SURGEON | {"type": "robot"}]}, "participant[0].type: 'robot' is not"),
    ("a trigger by the clock", {"trigger": [{"type": "periodic"}]}, "trigger[0].type: 'periodic' is not supported"),
    ("a trigger by name", {"trigger": [CHOICE | {"name": "x"}]}, "trigger[0].name: is not supported by this engine"),
    ("a trigger on nothing", {"trigger": [{"type": "data-added"}]}, "trigger[0].data: there is no type of resource"),
    (
        "a trigger on what is never read",
        {"trigger": [{"type": "data-added", "data": [{"type": "Observation"}]}]},
        "trigger[0].data[0].type: 'Observation' is not among what the engine reads",
    ),
    (
        "a filter in a trigger",
        {"trigger": [{"type": "data-added", "data": [{"type": "Task", "codeFilter": [{"path": "code"}]}]}]},
        "trigger[0].data[0].codeFilter: is not supported by this engine: say it in the condition",
    ),
    ("no path", {"dynamicValue": [{"expression": expression("1")}]}, "dynamicValue[0].path: '' is no path"),
    ("no value", {"dynamicValue": [{"path": "priority"}]}, "dynamicValue[0].expression: there is no expression"),
]  # fmt: skip


@pytest.mark.parametrize(("more", "expected"), [pytest.param(*case, id=name) for name, *case in ACTION])
def test_refuses_an_action_with(more: Json, expected: str) -> None:
    found = problems(plan(action() | more))
    assert any(one.startswith(f"{VISIT}.{expected}") for one in found), found


def test_refuses_a_definition_outside_of_these() -> None:
    [found] = problems(plan({"id": "outside", "definitionUri": "http://x"}))
    assert found.startswith(f"{VISIT}.definitionUri: is not supported by this engine: name a definition")


def test_the_plan_that_every_refusal_starts_from_is_fine() -> None:
    assert problems(plan(action() | {"relatedAction": [timed("operation")], "condition": [condition("start")]})) == []


TIMES: list[tuple[str, list[Json], str]] = [
    ("hours", [timed("operation", offsetDuration=days(3, "h"))], "[0].offsetDuration: An offset must be whole days"),
    ("half days", [timed("operation", offsetDuration=days(1.5))], "[0].offsetDuration: An offset must be whole days"),
    ("no number", [timed("operation", offsetDuration={"code": "d"})], "[0].offsetDuration: An offset must be whole"),
    ("less than nothing", [timed("operation", offsetDuration=days(-1))], "[0].offsetDuration: is negative"),
    (
        "about some days",
        [timed("operation", offsetDuration=days(3, comparator="<"))],
        "[0].offsetDuration.comparator: is not supported",
    ),
    (
        "a window the wrong way round",
        [timed("operation", offsetRange={"low": days(2, "wk"), "high": days(7)})],
        "[0].offsetRange: low is more than high",
    ),
    ("half a window", [timed("operation", offsetRange={"low": days(7)})], "[0].offsetRange: there is no high"),
    ("no offset", [{"actionId": "operation", "relationship": "after-end"}], "[0]: 'after-end' needs an offset"),
    ("an offset beside", [timed("operation", "concurrent")], "[0]: 'concurrent' takes no offset"),
    ("two times", [timed("operation"), timed("appointment")], ": an action has one time"),
    ("an anchor without a date", [timed("visit")], "[0].actionId: 'visit' never has a date for this action"),
    ("no such anchor", [timed("surgery")], "[0].actionId: there is no action 'surgery'"),
]


@pytest.mark.parametrize(("related", "expected"), [pytest.param(*case, id=name) for name, *case in TIMES])
def test_refuses_a_time_with(related: list[Json], expected: str) -> None:
    found = problems(plan(action() | {"relatedAction": related}))
    assert any(one.startswith(f"{VISIT}.relatedAction{expected}") for one in found), found


def test_an_operation_that_comes_once_or_stands_elsewhere_is_no_anchor() -> None:
    after = action() | {"relatedAction": [timed("operation")]}
    sentence = "relatedAction[0].actionId: 'operation' never has a date for this action"
    once = problems(plan(after, cardinalityBehavior="single"))
    assert any(f"{VISIT}.{sentence}" in one for one in once)
    beside = plan()
    beside["action"].append(after)
    assert any(one.startswith(f"PlanDefinition.action[1].{sentence}") for one in problems(beside))


def test_an_appointment_of_another_occurrence_is_no_anchor() -> None:
    reminder = plan()
    reminder["action"].append(action() | {"relatedAction": [timed("appointment", "before-start")]})
    assert any("'appointment' never has a date" in one for one in problems(reminder))


def test_refuses_actions_that_are_timed_from_each_other_and_names_the_way() -> None:
    second = action("second", "ActivityDefinition/appointment") | {"relatedAction": [timed("third")]}
    third = action("third", "ActivityDefinition/appointment") | {"relatedAction": [timed("second")]}
    assert problems(plan(second, third)) == [
        "PlanDefinition.action: actions are timed from each other: second -> third -> second"
    ]


def test_refuses_what_comes_several_times_inside_of_what_does() -> None:
    inner = action() | {"trigger": [CHOICE], "cardinalityBehavior": "multiple"}
    sentence = "what comes several times inside of what does is not supported, but for a group inside of one"
    assert problems(plan(inner)) == [f"{VISIT}: {sentence}"]


@pytest.mark.parametrize("text", ["'yes'", "1", "  1.5 ", "4 days", "@2026-01-01", "{}", r"'it\'s'"])
def test_refuses_a_condition_that_is_a_value(text: str) -> None:
    found = problems(plan(action() | {"condition": [condition(text=text)]}))
    assert found == [
        f"{VISIT}.condition[0].expression.expression: is neither true nor false, whatever is known: {text}"
    ]


@pytest.mark.parametrize("text", ["true", "1 = 1", "'a' = 'b'", "%data.empty()", "'a'.exists()"])
def test_accepts_a_condition_that_may_be_true(text: str) -> None:
    assert problems(plan(action() | {"condition": [condition(text=text)]})) == []


def test_refuses_what_a_group_cannot_do() -> None:
    inner = {"id": "inner"}
    group = {
        "id": "group",
        "participant": [SURGEON],
        "dynamicValue": [{"path": "priority", "expression": expression("'urgent'")}],
        "condition": [condition(), condition("start"), condition("stop")],
        "relatedAction": [timed("operation")],
        "action": [inner],
    }
    nothing = "has no effect here: the action leads to no request itself"
    assert problems(plan(group)) == [
        *(f"{VISIT}.{name}: {nothing}" for name in ("participant", "dynamicValue", "condition[1]", "condition[2]")),
        f"{VISIT}.relatedAction[0]: has no effect on a group: say it at the actions below",
    ]


def test_a_group_without_actions_may_say_its_days_for_its_readers() -> None:
    assert problems(plan({"id": "milestone", "relatedAction": [timed("operation")]})) == []


def test_an_order_is_not_ended_by_a_stop_condition() -> None:
    stopped = {"condition": [condition("stop")]}
    assert problems(plan(action("second", "ActivityDefinition/appointment") | stopped)) == []
    [found] = problems(plan(action("second", "ActivityDefinition/operation") | stopped))
    why = "a stop condition ends a Task, an Appointment or a message; an order is ended by a clinician"
    assert found == f"{VISIT}.condition[0]: {why}"


PATHS = [
    ("Task", "priority", None),
    ("Task", "for", None),
    ("Task", "note[0].text", None),
    ("CommunicationRequest", "payload[0].contentString", None),
    ("ServiceRequest", "occurrenceDateTime", None),
    ("Task", "payload[0].contentString", "is not an element of Task in FHIR R4"),
    ("Appointment", "requestedPeriod.start", "needs an index: Appointment.requestedPeriod repeats"),
    ("Task", "priority[0]", "takes no index: Task.priority is there once"),
    ("Task", "identifier[0].value", "is not to be set: the identity of a request is the service's own"),
    ("Task", "id", "is not to be set"),
    ("Task", "note.where(true).text", "is no path of names and indexes"),
    ("Task", "%action.title", "is no path of names and indexes"),
]


@pytest.mark.parametrize(("kind", "path", "expected"), PATHS)
def test_the_path_of_a_dynamic_value(kind: str, path: str, expected: str | None) -> None:
    values = {"dynamicValue": [{"path": path, "expression": expression("'x'")}]}
    found = problems(activity("other") | {"kind": kind} | values)
    assert len(found) == (0 if expected is None else 1)
    assert all(f"ActivityDefinition.dynamicValue[0].path: '{path}' {expected}" in one for one in found)


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ("transform", "http://x"),
        ("dosage", [{"text": "one"}]),
        ("productCodeableConcept", {"text": "gauze"}),
        ("quantity", {"value": 1}),
        ("timingDateTime", "2026-01-01"),
        ("participant", [{"type": "patient"}]),
        ("location", {"reference": "Location/1"}),
        ("doNotPerform", True),
        ("library", ["http://x"]),
    ],
)
def test_refuses_an_activity_with(element: str, value: Any) -> None:
    [found] = problems(activity("other") | {element: value})
    assert found.startswith(f"ActivityDefinition.{element}: is not supported by this engine")


def test_refuses_a_plan_with_a_library_of_expressions() -> None:
    [found] = problems(plan() | {"library": ["http://x"]})
    assert found == "PlanDefinition.library: is not supported by this engine"


def test_a_problem_names_the_file_that_the_definition_is_kept_in() -> None:
    changed = form("changed") | {"item": [{"linkId": "a", "type": "text"}, {"linkId": "a", "type": "text"}]}
    assert {problem.file for problem in Library.check(set_of(changed))} == {"Questionnaire-changed.json"}
    assert [str(problem) for problem in Library.check([{"resourceType": "Patient", "id": "p"}])] == [
        "Patient-p.json: resourceType: must be one of ActivityDefinition, CodeSystem, DocumentReference, "
        "OperationDefinition, PlanDefinition, Questionnaire, ValueSet"
    ]


def test_the_product_with_a_changed_form_that_a_plan_asks_for() -> None:
    product = Library.load().resources()
    assert Library.check(product) == []
    left_out = [r for r in product if r["id"] != "calcinosis-recovery-diary" or r["resourceType"] != "Questionnaire"]
    assert any(
        f"there is no Questionnaire {BASE}/Questionnaire/calcinosis-recovery-diary|" in problem.message
        for problem in Library.check(left_out)
    )


def ladder(type: str, anchor: str = "asked") -> Json:
    """A group that comes once per resource of a type, with a step that is timed from it."""
    step = action() | {"relatedAction": [timed(anchor)]}
    trigger = {"type": "data-changed", "data": [{"type": type}]}
    return {"id": "asked", "trigger": [trigger], "cardinalityBehavior": "multiple", "action": [step]}


@pytest.mark.parametrize("type", ["Task", "CommunicationRequest"])
def test_a_group_that_comes_once_per_task_is_an_anchor_of_what_is_in_it(type: str) -> None:
    changed = plan()
    changed["action"].append(ladder(type))
    assert problems(changed) == []


def test_one_that_comes_once_per_anything_else_is_none() -> None:
    changed = plan()
    changed["action"].append(ladder("Condition"))
    assert any("'asked' never has a date" in one for one in problems(changed))


@pytest.mark.parametrize(
    ("kind", "limit", "sentence"),
    [
        ("Task", days(1, "mo"), "ActivityDefinition.timingDuration: An offset must be whole days"),
        ("Task", days(-1), "ActivityDefinition.timingDuration: is negative"),
        ("Task", days(0, "min"), "ActivityDefinition.timingDuration.value: must be more than nothing"),
        ("Appointment", days(1), "ActivityDefinition.timingDuration: a limit is the period of a Task"),
    ],
)
def test_refuses_a_limit_that_is_none(kind: str, limit: Json, sentence: str) -> None:
    changed = set_of(plan())
    [visit] = [one for one in changed if one["id"] == "visit"]
    visit |= {"kind": kind, "timingDuration": limit}
    assert any(f"{problem.element}: {problem.message}".startswith(sentence) for problem in Library.check(changed))

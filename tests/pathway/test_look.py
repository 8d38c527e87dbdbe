"""An expression looked at: what it gave, and what it read for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pathway.expressions import ExpressionFailed, look

PATIENT = {"resourceType": "Patient", "id": "p1", "meta": {"versionId": "4"}, "active": True}
TASK = {"resourceType": "Task", "id": "t1", "meta": {"versionId": "2"}, "status": "ready"}
FLAG = {"resourceType": "Flag", "id": "f1", "status": "active"}
DATA = [PATIENT, TASK, FLAG]


@pytest.mark.parametrize(
    ("expression", "outcome", "value"),
    [
        ("active", "true", (True,)),
        ("active.not()", "false", (False,)),
        ("birthDate", "missing", ()),
        ("id", "value", ("p1",)),
        ("true | false", "value", (True, False)),
    ],
)
def test_the_outcome(expression: str, outcome: str, value: tuple[Any, ...]) -> None:
    seen = look(expression, PATIENT, {})
    assert (seen.expression, seen.outcome, seen.value, seen.message) == (expression, outcome, value, "")


def test_a_failure_is_an_outcome_with_what_was_to_be_read() -> None:
    seen = look("%subject.id > 3", {}, {"subject": PATIENT})
    assert (seen.outcome, seen.value) == ("failed", ())
    assert seen.read == (("subject", ("Patient/p1/_history/4",)),)
    assert seen.message == "%subject.id > 3 could not be evaluated: values of different types are compared"


def test_what_cannot_be_parsed_is_a_failure_too() -> None:
    seen = look("%data.where(", {}, {"data": DATA})
    assert (seen.outcome, seen.read) == ("failed", (("data", ("3 resources",)),))


@pytest.mark.parametrize(("expression", "holds"), [("active", True), ("active.not()", False), ("birthDate", None)])
def test_as_a_condition(expression: str, holds: bool | None) -> None:
    assert look(expression, PATIENT, {}).holds is holds


def test_as_a_condition_it_fails_when_it_failed_or_is_no_boolean() -> None:
    with pytest.raises(ExpressionFailed, match=r"id > 3 could not be evaluated: values of different types"):
        _ = look("id > 3", PATIENT, {}).holds
    with pytest.raises(ExpressionFailed, match=r"id gave 1 value \(string\); a condition gives"):
        _ = look("id", PATIENT, {}).holds


def test_what_it_read_stands_in_the_order_it_is_named() -> None:
    variables = {"subject": PATIENT, "flag": [FLAG], "none": [], "nothing": None, "unread": [TASK]}
    seen = look("%flag.exists() and %none.empty() and %subject.active and %nothing.empty() and %flag", {}, variables)
    assert seen.read == (
        ("flag", ("Flag/f1",)),
        ("none", ()),
        ("subject", ("Patient/p1/_history/4",)),
        ("nothing", ()),
    )


def test_values_that_are_no_resources_are_left_out() -> None:
    variables = {"parameters": PATIENT, "number": 3, "words": ["a"], "answer": {"valueBoolean": True}}
    seen = look(
        "%parameters.active and %number = 3 and %words = 'a' and %answer.valueBoolean and %ucum.exists()", {}, variables
    )
    assert (seen.outcome, seen.read) == ("true", ())


def test_a_resource_that_has_no_id_yet_is_named_by_its_type() -> None:
    assert look("%draft.empty()", {}, {"draft": {"resourceType": "Task"}}).read == (("draft", ("Task",)),)


def test_the_context_is_read_when_it_is_named() -> None:
    assert look("%context.active", PATIENT, {}).read == (("context", ("Patient/p1/_history/4",)),)


@pytest.mark.parametrize(
    ("expression", "read"),
    [
        ("%data.ofType(Task).exists()", ("Task/t1/_history/2",)),
        ("%data.ofType(FHIR.Task).exists()", ("Task/t1/_history/2",)),
        ("%data.where($this is Flag).exists()", ("Flag/f1",)),
        ("%data.where($this.is(Flag)).exists()", ("Flag/f1",)),
        ("%data.where(resourceType = 'Task' and status = 'ready').exists()", ("Task/t1/_history/2",)),
        ("%data.where($this.resourceType = 'Task' or resourceType='Flag')", ("Task/t1/_history/2", "Flag/f1")),
        ("%data.ofType(Observation).exists()", ()),
        ("%data.exists()", ("3 resources",)),
        ("%data.where(resourceType != 'Task')", ("3 resources",)),
        ("%data.where(value is Quantity)", ("3 resources",)),
        ("%data.where(id = 'this is Task')", ("3 resources",)),
        ("%data.ofType(DomainResource)", ("3 resources",)),
    ],
)
def test_of_the_whole_record_the_types_that_are_named(expression: str, read: tuple[str, ...]) -> None:
    assert look(expression, {}, {"data": DATA}).read == (("data", read),)


def test_an_empty_record_is_nothing() -> None:
    assert look("%data.exists()", {}, {"data": []}).read == (("data", ()),)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("%subject", PATIENT),
        ("@2026-01-01", "2026-01-01"),
        ("@T10:30", "10:30:00"),
        ("5 'mg'", {"value": 5, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}),
        ("7 days", {"value": 7, "unit": "days", "system": "http://unitsofmeasure.org", "code": "d"}),
    ],
)
def test_values_are_plain_json(expression: str, value: Any) -> None:
    (given,) = look(expression, {}, {"subject": PATIENT}).value
    assert json.loads(json.dumps(given, default=int)) == value


def test_values_are_copies() -> None:
    (given,) = look("%subject", {}, {"subject": PATIENT}).value
    given["meta"]["versionId"] = "5"
    assert PATIENT["meta"] == {"versionId": "4"}

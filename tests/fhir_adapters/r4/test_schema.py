"""The schema's verdict on single elements, and the sentences that explain it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhir_adapters.r4 import schema, tables
from fhir_adapters.r4.admission import check

TASK: dict[str, Any] = {"resourceType": "Task", "status": "requested", "intent": "order"}


def task_with(value: Any, choice: str) -> dict[str, Any]:
    return TASK | {"input": [{"type": {"text": "x"}, f"value{choice}": value}]}


def test_every_type_has_a_definition() -> None:
    assert len(tables.resource_types()) == 46
    assert tables.resource_types() <= schema.schema()["$defs"].keys()


@pytest.mark.parametrize(
    ("change", "code", "expression", "sentence"),
    [
        ({"status": "banana"}, "code-invalid", "Task.status", "Task.status: 'banana' is not one of draft, requested, "),
        ({"foo": 1}, "structure", "Task", "Task.foo is not an element of Task"),
        ({"code": None}, "structure", "Task.code", "Task.code must not be null: leave it out instead"),
        ({"code": {}}, "structure", "Task.code", "Task.code must not be empty: leave it out instead"),
        ({"note": []}, "structure", "Task.note", "Task.note must not be empty: leave it out instead"),
        ({"note": {"text": "x"}}, "structure", "Task.note", "Task.note must be a list, not an object"),
        ({"description": 5}, "structure", "Task.description", "Task.description must be a string, not a number"),
        ({"description": ""}, "value", "Task.description", "Task.description: '' is not text"),
        ({"description": " \n"}, "value", "Task.description", "is not text"),
        ({"description": "a\x01"}, "value", "Task.description", "no control characters"),
        ({"id": "x" * 65}, "value", "Task.id", "is not an id: 1 to 64 letters, digits"),
        ({"id": "../x"}, "value", "Task.id", "is not an id"),
        ({"id": "x\n"}, "value", "Task.id", "is not an id"),
        ({"owner": {"reference": "Task/1"}}, "value", "Task.owner.reference", "must refer to one of CareTeam, Device"),
        ({"for": {"reference": "Patient 1"}}, "value", "Task.for.reference", "is not a reference: Type/id"),
        ({"for": {"reference": "Banana/1"}}, "value", "Task.for.reference", "is not a reference: Type/id"),
        (
            {"input": [{"type": {"text": "x"}}]},
            "required",
            "Task.input[0].value",
            "Task.input[0].value[x] is required",
        ),
        (
            {"input": [{"type": {"text": "x"}, "valueString": "a", "valueCode": "b"}]},
            "structure",
            "Task.input[0].value",
            "Task.input[0] has valueCode and valueString: only one value[x] is allowed",
        ),
    ],
)
def test_a_fault_is_explained(change: dict[str, Any], code: str, expression: str, sentence: str) -> None:
    (issue,) = check(TASK | change)
    assert (issue.severity, issue.code, issue.expression) == ("error", code, expression)
    assert sentence in issue.diagnostics


def test_what_is_missing_is_named() -> None:
    issues = check({"resourceType": "Task"})
    assert {issue.diagnostics for issue in issues} == {"Task.status is required", "Task.intent is required"}
    absent = [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]
    assert check({"resourceType": "Task", "_status": {"extension": absent}, "intent": "order"}) == []


@pytest.mark.parametrize(
    ("choice", "value"),
    [
        ("DateTime", "2026"),
        ("DateTime", "2026-02"),
        ("DateTime", "2024-02-29"),
        ("DateTime", "2026-03-01T09:30:00+01:00"),
        ("DateTime", "2026-06-30T23:59:60.123456789Z"),
        ("DateTime", "9999-12-31T23:59:59-14:00"),
        ("Time", "09:30:00"),
        ("Decimal", Decimal("1.10")),
        ("Decimal", 1),
        ("Integer", -(2**31)),
        ("PositiveInt", 1),
        ("UnsignedInt", 0),
        ("Base64Binary", "aGVsbG8="),
        ("Base64Binary", "aGVs\nbG8="),
        ("Uri", "urn:oid:1.2"),
        ("Code", "a b"),
        ("Oid", "urn:oid:1.2.3"),
        ("Uuid", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"),
        ("Boolean", False),
        ("Reference", {"reference": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"}),
        ("Reference", {"reference": "https://hospital.example/fhir/Patient/1"}),
        ("Reference", {"reference": "Patient/1/_history/2"}),
        ("Reference", {"display": "Dr. A"}),
        ("Reference", {"identifier": {"system": "a:b", "value": "1"}}),
    ],
)
def test_good_values_pass(choice: str, value: Any) -> None:
    assert check(task_with(value, choice)) == []


@pytest.mark.parametrize(
    ("choice", "value"),
    [
        ("DateTime", "2026-02-30"),
        ("DateTime", "2026-02-29"),
        ("DateTime", "2100-02-29"),
        ("DateTime", "2026-04-31"),
        ("DateTime", "2026-13"),
        ("DateTime", "0000"),
        ("DateTime", "0000-02-29"),
        ("DateTime", "10000"),
        ("DateTime", "2026-03-01T24:00:00Z"),
        ("DateTime", "2026-03-01T09:30:00+25:00"),
        ("DateTime", "2026-03-01T09:30:00"),
        ("DateTime", "2026-03-01T09:30Z"),
        ("DateTime", "2026-03-01T09:30:00z"),
        ("DateTime", "٢٠٢٦"),
        ("Date", "2026-03-01T09:30:00Z"),
        ("Instant", "2026-03-01"),
        ("Time", "24:00:00"),
        ("Decimal", "1.10"),
        ("Boolean", "true"),
        ("Integer", 2**31),
        ("Integer", Decimal("1.0")),
        ("Integer", 1.0),
        ("Integer", True),
        ("PositiveInt", 0),
        ("UnsignedInt", -1),
        ("UnsignedInt", 2**63),
        ("Base64Binary", "!!!!"),
        ("Base64Binary", "aGVsbG8"),
        ("Uri", "a b"),
        ("Code", " a"),
        ("Code", "a  b"),
        ("Uuid", "urn:uuid:C757873D-ec9a-4326-a141-556f43239520"),
        ("Id", "x" * 65),
        ("Attachment", {}),
        ("String", None),
        ("Banana", 1),
    ],
)
def test_bad_values_do_not(choice: str, value: Any) -> None:
    assert check(task_with(value, choice))


def test_a_required_binding_of_a_concept_needs_one_of_its_codings() -> None:
    system = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    condition = {"resourceType": "Condition", "subject": {"reference": "Patient/1"}}
    local = {"system": "urn:local", "code": "A"}
    assert check(condition | {"clinicalStatus": {"coding": [local, {"system": system, "code": "active"}]}}) == []
    (issue,) = check(condition | {"clinicalStatus": {"coding": [local]}})
    assert issue.diagnostics.startswith(
        "Condition.clinicalStatus.coding: one of the codings must be active, recurrence"
    )


def test_references_inside_lists_and_choices_know_their_targets() -> None:
    request = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "plan",
        "subject": {"reference": "Task/1"},
    }
    (issue,) = check(request)
    assert issue.diagnostics.endswith("must refer to one of Device, Group, Location, Patient")
    assert check(TASK | {"partOf": [{"reference": "Task/1"}, {"reference": "Patient/1"}]})[0].expression == (
        "Task.partOf[1].reference"
    )


def test_primitive_extensions_stand_beside_their_element() -> None:
    extension = {"extension": [{"url": "a:b", "valueString": "x"}]}
    assert check(TASK | {"_description": extension}) == []
    assert check(TASK | {"_code": extension})
    assert check({"resourceType": "Patient", "name": [{"given": ["A"], "_given": [extension]}]}) == []
    assert check({"resourceType": "Patient", "name": [{"given": ["A"], "_given": extension}]})

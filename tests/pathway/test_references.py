"""References: found and rewritten wherever they stand, and whom a resource is about."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pathway.ports import Resource
from pathway.references import patient_of, reference_to, references_in, rewritten

APPOINTMENT: Resource = {
    "resourceType": "Appointment",
    "id": "a1",
    "contained": [{"resourceType": "Location", "id": "here"}],
    "basedOn": [{"reference": "ServiceRequest/s1"}],
    "participant": [
        {"actor": {"reference": "Patient/p1", "display": "Patient/p1"}, "status": "accepted"},
        {"actor": {"reference": "#here"}},
        {"actor": {"display": "somebody"}},
    ],
    "extension": [{"url": "x", "valueReference": {"reference": "https://else.example/fhir/Patient/p1"}}],
}


def test_every_literal_reference_is_found() -> None:
    assert list(references_in(APPOINTMENT)) == [
        "ServiceRequest/s1",
        "Patient/p1",
        "https://else.example/fhir/Patient/p1",
    ]


def test_only_references_are_rewritten() -> None:
    changed = rewritten(APPOINTMENT, lambda reference: reference.replace("/", "/new-"))
    assert changed["basedOn"] == [{"reference": "ServiceRequest/new-s1"}]
    assert changed["participant"][0]["actor"] == {"reference": "Patient/new-p1", "display": "Patient/p1"}
    assert changed["participant"][1:] == APPOINTMENT["participant"][1:]
    assert changed["contained"] == APPOINTMENT["contained"]


def test_the_original_is_left_as_it_was() -> None:
    rewritten(APPOINTMENT, lambda _: "Patient/other")
    assert APPOINTMENT["participant"][0]["actor"]["reference"] == "Patient/p1"


def test_all_else_is_kept_as_it_is() -> None:
    resource = {"resourceType": "X", "id": "1", "value": Decimal("1.10"), "unknown": [1, None, {"a": [[]]}]}
    assert rewritten(resource, str.upper) == resource
    assert str(rewritten(resource, str.upper)["value"]) == "1.10"


def test_a_reference_to_a_resource() -> None:
    assert reference_to(APPOINTMENT) == "Appointment/a1"


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"resourceType": "Patient", "id": "p1"}, "Patient/p1"),
        ({"resourceType": "Procedure", "subject": {"reference": "Patient/p1"}}, "Patient/p1"),
        ({"resourceType": "Task", "for": {"reference": "Patient/p1"}}, "Patient/p1"),
        ({"resourceType": "X", "patient": {"reference": "https://h.example/fhir/Patient/p1"}}, "Patient/p1"),
        (APPOINTMENT, "Patient/p1"),
        ({"resourceType": "Procedure", "subject": {"reference": "Group/g1"}}, None),
        ({"resourceType": "Procedure", "subject": {"display": "Eva"}}, None),
        ({"resourceType": "Procedure"}, None),
    ],
)
def test_whom_a_resource_is_about(resource: Resource, expected: str | None) -> None:
    assert patient_of(resource) == expected

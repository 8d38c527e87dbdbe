"""The rules a schema cannot say: each is broken once and kept once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhir_adapters.r4.admission import check

TASK: dict[str, Any] = {"resourceType": "Task", "status": "requested", "intent": "order"}
APPOINTMENT: dict[str, Any] = {
    "resourceType": "Appointment",
    "status": "proposed",
    "participant": [{"actor": {"reference": "Patient/1"}, "status": "needs-action"}],
}
OBSERVATION = {"resourceType": "Observation", "status": "final", "code": {"text": "size"}}


def rules(resource: dict[str, Any]) -> set[str]:
    issues = check(resource)
    assert {issue.code for issue in issues} <= {"invariant"}, issues
    return {issue.diagnostics.rsplit("(", 1)[1].rstrip(")") for issue in issues}


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({}, set()),
        ({"for": {"reference": "#nobody"}}, {"ref-1"}),
        ({"for": {"reference": "Patient?identifier=a|b"}}, {"ref-1"}),
        ({"contained": [{"resourceType": "Patient", "id": "p", "active": True}]}, {"dom-3"}),
        ({"contained": [{"resourceType": "Task", "id": "p", "focus": {"reference": "#"}} | TASK]}, set()),
        ({"executionPeriod": {"start": "2026-03-02", "end": "2026-03-01"}}, {"per-1"}),
        ({"executionPeriod": {"start": "2026-03-01", "end": "2026-03"}}, set()),
        ({"executionPeriod": {"start": "2026-03-02", "end": "2026-03-02T00:30:00+02:00"}}, set()),
        ({"executionPeriod": {"start": "2026-03-02T00:30:00+02:00", "end": "2026-03-01T22:30:00Z"}}, set()),
        ({"executionPeriod": {"start": "2026-03-02T00:30:00Z", "end": "2026-03-02T00:29:59Z"}}, {"per-1"}),
        ({"authoredOn": "2026-03-02T00:30:00Z", "lastModified": "2026-03-01"}, {"inv-1"}),
        (
            {"extension": [{"url": "a:b", "valueString": "x", "extension": [{"url": "c:d", "valueCode": "x"}]}]},
            {"ext-1"},
        ),
        ({"extension": [{"url": "a:b"}]}, {"ext-1"}),
        ({"code": {"id": "x"}}, {"ele-1"}),
        ({"_status": {"id": "x"}}, set()),
        ({"input": [{"type": {"text": "dose"}, "valueQuantity": {"value": 1, "code": "mg"}}]}, {"qty-3"}),
    ],
)
def test_rules_that_hold_everywhere(change: dict[str, Any], broken: set[str]) -> None:
    assert rules(TASK | change) == broken


def test_null_stands_only_beside_an_extension() -> None:
    patient = {"resourceType": "Patient", "name": [{"given": ["A", None], "_given": [None, {"id": "b"}]}]}
    assert check(patient) == []
    assert rules({"resourceType": "Patient", "name": [{"given": ["A", None]}]}) == {"ele-1"}
    assert rules({"resourceType": "Patient", "name": [{"given": ["A"], "_given": [None, {"id": "b"}]}]}) == {"ele-1"}


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({}, set()),
        ({"participant": [{"status": "accepted"}]}, {"app-1"}),
        ({"start": "2026-03-01T09:00:00Z"}, {"app-2"}),
        ({"status": "booked"}, {"app-3"}),
        ({"status": "booked", "start": "2026-03-01T09:00:00Z", "end": "2026-03-01T09:30:00Z"}, set()),
        ({"cancelationReason": {"text": "ill"}}, {"app-4"}),
        ({"cancelationReason": {"text": "ill"}, "status": "cancelled"}, set()),
    ],
)
def test_appointments(change: dict[str, Any], broken: set[str]) -> None:
    assert rules(APPOINTMENT | change) == broken


@pytest.mark.parametrize(
    ("repeat", "broken"),
    [
        ({"offset": 30, "when": ["ACM"]}, set()),
        ({"offset": 30}, {"tim-9"}),
        ({"offset": 30, "when": ["CM"]}, {"tim-9"}),
        ({"period": 1}, {"tim-2"}),
        ({"period": -1, "periodUnit": "d"}, {"tim-5"}),
        ({"when": ["HS"], "timeOfDay": ["09:00:00"]}, {"tim-10"}),
    ],
)
def test_timings(repeat: dict[str, Any], broken: set[str]) -> None:
    request = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "plan",
        "subject": {"reference": "Patient/1"},
    }
    assert rules(request | {"occurrenceTiming": {"repeat": repeat}}) == broken


@pytest.mark.parametrize(
    ("bundle", "broken"),
    [
        ({"type": "transaction", "entry": [{"resource": TASK}]}, {"bdl-3"}),
        ({"type": "transaction", "entry": [{"resource": TASK, "request": {"method": "POST", "url": "Task"}}]}, set()),
        ({"type": "collection", "total": 1}, {"bdl-1"}),
        ({"type": "collection", "entry": [{"resource": TASK, "search": {"mode": "match"}}]}, {"bdl-2"}),
        ({"type": "batch-response", "entry": [{"resource": TASK}]}, {"bdl-4"}),
        ({"type": "collection", "entry": [{"fullUrl": "urn:a:b"}]}, {"bdl-5"}),
        ({"type": "collection", "entry": [{"fullUrl": "urn:a:b", "resource": TASK}] * 2}, {"bdl-7"}),
        ({"type": "collection", "entry": [{"fullUrl": "http://a/Task/1/_history/2", "resource": TASK}]}, {"bdl-8"}),
    ],
)
def test_bundles(bundle: dict[str, Any], broken: set[str]) -> None:
    assert rules({"resourceType": "Bundle"} | bundle) == broken


def test_a_transaction_may_refer_by_search() -> None:
    task = TASK | {"for": {"reference": "Patient?identifier=a|b"}}
    entry = {"resource": task, "request": {"method": "POST", "url": "Task"}}
    assert check({"resourceType": "Bundle", "type": "transaction", "entry": [entry]}) == []


@pytest.mark.parametrize(
    ("items", "broken"),
    [
        ([{"linkId": "1", "type": "string"}], set()),
        ([{"linkId": "1", "type": "group"}], {"que-1"}),
        ([{"linkId": "1", "type": "string"}, {"linkId": "1", "type": "string"}], {"que-2"}),
        ([{"linkId": "1", "type": "group", "item": [{"linkId": "1", "type": "string"}]}], {"que-2"}),
        ([{"linkId": "1", "type": "display", "required": True}], {"que-6"}),
        (
            [
                {
                    "linkId": "1",
                    "type": "string",
                    "enableWhen": [{"question": "0", "operator": "exists", "answerString": "x"}],
                }
            ],
            {"que-7"},
        ),
        (
            [
                {
                    "linkId": "1",
                    "type": "choice",
                    "answerOption": [{"valueString": "x"}],
                    "initial": [{"valueString": "x"}],
                }
            ],
            {"que-11"},
        ),
    ],
)
def test_questionnaires(items: list[dict[str, Any]], broken: set[str]) -> None:
    assert rules({"resourceType": "Questionnaire", "status": "draft", "item": items}) == broken


@pytest.mark.parametrize(
    ("resource", "broken"),
    [
        (
            {
                "resourceType": "CarePlan",
                "status": "active",
                "intent": "plan",
                "subject": {"reference": "Patient/1"},
                "activity": [{"reference": {"reference": "Task/1"}, "detail": {"status": "scheduled"}}],
            },
            "cpl-3",
        ),
        (
            {
                "resourceType": "Goal",
                "lifecycleStatus": "active",
                "description": {"text": "heal"},
                "subject": {"reference": "Patient/1"},
                "target": [{"detailString": "closed"}],
            },
            "gol-1",
        ),
        (
            {
                "resourceType": "RiskAssessment",
                "status": "final",
                "subject": {"reference": "Patient/1"},
                "prediction": [{"probabilityDecimal": Decimal("100.1")}],
            },
            "ras-2",
        ),
        (
            {
                "resourceType": "RiskAssessment",
                "status": "final",
                "subject": {"reference": "Patient/1"},
                "prediction": [{"probabilityRange": {"low": {"value": 1}}}],
            },
            "ras-1",
        ),
        ({"resourceType": "Parameters", "parameter": [{"name": "a"}]}, "inv-1"),
        ({"resourceType": "Organization", "active": True}, "org-1"),
        (OBSERVATION | {"valueString": "x", "dataAbsentReason": {"text": "unknown"}}, "obs-6"),
    ],
)
def test_rules_of_single_types(resource: dict[str, Any], broken: str) -> None:
    assert rules(resource) == {broken}

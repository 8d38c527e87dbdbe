"""Search values per kind of parameter, and what a date means."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhir_adapters.r4 import tables
from fhir_adapters.r4.search_values import SearchValue, definition, definitions, fold, parse_date_query, values

TASK: dict[str, Any] = {"resourceType": "Task", "status": "requested", "intent": "order"}


def of(resource: dict[str, Any], param: str) -> list[SearchValue]:
    return [value for value in values(resource) if value.param == param]


def pairs(resource: dict[str, Any], param: str) -> list[tuple[str | None, str | None]]:
    return [(value.system, value.value) for value in of(resource, param)]


def test_definitions_come_from_the_specification_and_two_of_ours() -> None:
    owner = definition("Task", "owner")
    assert owner is not None
    assert (owner.type, "PractitionerRole" in owner.targets, "Patient" in owner.targets) == ("reference", True, True)
    assert definition("Task", "due") is not None
    assert definition("Appointment", "requested-period") is not None
    assert definition("Task", "_lastUpdated") is not None
    assert definition("Task", "banana") is None
    assert definition("Banana", "_id") is None
    assert {"_id", "status", "due"} <= {found.name for found in definitions("Task")}


def test_every_parameter_has_a_path_through_known_elements() -> None:
    for resource_type in tables.resource_types():
        assert values({"resourceType": resource_type}) == []
        assert definitions(resource_type)


def test_tokens() -> None:
    task = TASK | {
        "identifier": [{"system": "urn:a", "value": "1"}, {"value": "2"}, {"system": "urn:b"}],
        "code": {"coding": [{"system": "urn:c", "code": "x"}, {"code": "y"}, {"display": "z"}], "text": "t"},
        "meta": {"tag": [{"system": "urn:t", "code": "demo"}]},
    }
    assert pairs(task, "status") == [(None, "requested")]
    assert pairs(task, "identifier") == [("urn:a", "1"), (None, "2")]
    assert pairs(task, "code") == [("urn:c", "x"), (None, "y")]
    assert pairs(task, "_tag") == [("urn:t", "demo")]
    patient = {
        "resourceType": "Patient",
        "active": False,
        "telecom": [{"system": "phone", "value": "1"}, {"system": "email", "value": "a@b"}],
    }
    assert pairs(patient, "active") == [(None, "false")]
    assert pairs(patient, "phone") == [("phone", "1")]
    assert pairs(patient, "email") == [("email", "a@b")]
    assert len(of(patient, "telecom")) == 2


def test_references() -> None:
    task = TASK | {
        "for": {"reference": "Patient/1/_history/3", "identifier": {"system": "urn:mrn", "value": "7"}},
        "owner": {"identifier": {"value": "8"}},
        "focus": {"reference": "#x"},
        "basedOn": [{"reference": "https://h.example/fhir/ServiceRequest/1"}, {"display": "a referral"}],
    }
    assert pairs(task, "patient") == [(None, "Patient/1"), ("urn:mrn", "7")]
    assert pairs(task, "subject") == pairs(task, "patient")
    assert pairs(task, "owner") == [("", "8")]
    assert pairs(task, "focus") == []
    assert pairs(task, "based-on") == [(None, "https://h.example/fhir/ServiceRequest/1")]


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ({"reference": "Patient/1"}, 1),
        ({"reference": "Group/1"}, 0),
        ({"reference": "https://h.example/fhir/Group/1"}, 0),
        ({"reference": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"}, 1),
        ({"reference": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "type": "Group"}, 0),
        ({"identifier": {"value": "1"}, "type": "Group"}, 0),
    ],
)
def test_a_target_filter_drops_what_is_known_to_be_another_type(reference: dict[str, Any], found: int) -> None:
    assert len(of(TASK | {"for": reference}, "patient")) == found
    assert len(of(TASK | {"for": reference}, "subject")) == 1


def test_canonicals_are_found_with_and_without_version() -> None:
    plan = {"resourceType": "CarePlan", "instantiatesCanonical": ["https://a.example/PlanDefinition/p|1.0"]}
    urls = ["https://a.example/PlanDefinition/p|1.0", "https://a.example/PlanDefinition/p"]
    assert [value.value for value in of(plan, "instantiates-canonical")] == urls
    assert of(plan, "instantiates-canonical")[0].kind == "reference"
    questionnaire = {"resourceType": "Questionnaire", "url": "https://a.example/Questionnaire/q"}
    assert pairs(questionnaire, "url") == [(None, "https://a.example/Questionnaire/q")]


def test_strings_are_folded_and_names_split() -> None:
    patient = {
        "resourceType": "Patient",
        "name": [{"family": "Müller-Łuk", "given": ["José  María", None], "_given": [None, {"id": "x"}]}],
        "address": [{"line": ["1 Straße"], "city": "Zürich", "use": "home"}],
    }
    assert [value.value for value in of(patient, "name")] == ["muller-łuk", "jose maria"]
    assert [value.value for value in of(patient, "family")] == ["muller-łuk"]
    assert [value.value for value in of(patient, "address")] == ["1 strasse", "zurich"]
    assert fold(" É\u0301 ") == "e"


def test_dates() -> None:
    task = TASK | {
        "authoredOn": "2026-03-01T00:30:00.5+02:00",
        "restriction": {"period": {"start": "2026-03", "end": "2026-04-02"}},
        "executionPeriod": {"start": "2026"},
    }
    (authored,), (due,), (period,) = of(task, "authored-on"), of(task, "due"), of(task, "period")
    assert (authored.low, authored.high) == ("2026-02-28T22:30:00.500000Z", "2026-02-28T22:30:00.600000Z")
    assert (due.low, due.high) == ("2026-03-01T00:00:00.000000Z", "2026-04-03T00:00:00.000000Z")
    assert (period.low, period.high) == ("2026-01-01T00:00:00.000000Z", None)


def test_timings_reach_from_the_first_to_the_last_event() -> None:
    request = {"resourceType": "ServiceRequest"}
    (found,) = of(request | {"occurrenceTiming": {"event": ["2026-03-05", "2026-03-01"]}}, "occurrence")
    assert (found.low, found.high) == ("2026-03-01T00:00:00.000000Z", "2026-03-06T00:00:00.000000Z")
    (bounds,) = of(request | {"occurrenceTiming": {"repeat": {"boundsPeriod": {"start": "2026"}}}}, "occurrence")
    assert (bounds.low, bounds.high) == ("2026-01-01T00:00:00.000000Z", None)
    assert of(request | {"occurrenceTiming": {"repeat": {"frequency": 1}}}, "occurrence") == []


def test_quantities_and_numbers() -> None:
    size = {"value": Decimal("1.10"), "unit": "cm", "system": "http://unitsofmeasure.org", "code": "cm"}
    (found,) = of({"resourceType": "Observation", "valueQuantity": size}, "value-quantity")
    assert (found.system, found.value, found.low, found.high) == ("http://unitsofmeasure.org", "cm", "1.10", "1.10")
    risk = {"resourceType": "RiskAssessment", "prediction": [{"probabilityDecimal": Decimal("1E-7")}]}
    assert [(value.low, value.high) for value in of(risk, "probability")] == [("0.0000001", "0.0000001")]


@pytest.mark.parametrize(
    ("text", "prefix", "low", "high"),
    [
        ("ge2026-03-01", "ge", "2026-03-01T00:00:00.000000Z", "2026-03-02T00:00:00.000000Z"),
        ("2026", "eq", "2026-01-01T00:00:00.000000Z", "2027-01-01T00:00:00.000000Z"),
        ("sa2026-12", "sa", "2026-12-01T00:00:00.000000Z", "2027-01-01T00:00:00.000000Z"),
        ("lt2026-03-01T09:30+02:00", "lt", "2026-03-01T07:30:00.000000Z", "2026-03-01T07:31:00.000000Z"),
        ("2026-06-30T23:59:60Z", "eq", "2026-06-30T23:59:59.000000Z", "2026-07-01T00:00:00.000000Z"),
        ("9999", "eq", "9999-01-01T00:00:00.000000Z", None),
        ("9999-12-31T23:00:00-05:00", "eq", "9999-12-31T23:59:59.999999Z", None),
        ("0001-01-01T00:00:00+05:00", "eq", None, "0001-01-01T00:00:00.000000Z"),
    ],
)
def test_date_queries(text: str, prefix: str, low: str | None, high: str | None) -> None:
    assert parse_date_query(text) == (prefix, low, high)


@pytest.mark.parametrize("text", ["", "ge", "xx2026", "2026-02-30", "2026-3-1", "0000", "2026-03-01T25:00", "٢٠٢٦"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="date"):
        parse_date_query(text)

"""The door: what is refused before anything else, what survives it, and HL7's own examples (if they are there)."""

from __future__ import annotations

import copy
import json
import os
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fhir_adapters.r4 import tables
from fhir_adapters.r4.admission import Limits, check, parse, render
from pathway.errors import InvalidResource
from pathway.issues import Issue, operation_outcome

EXAMPLES = os.environ.get("CALCINOSIS_PATHWAY_R4_EXAMPLES")

TASK: dict[str, Any] = {"resourceType": "Task", "status": "requested", "intent": "order"}
APPOINTMENT: dict[str, Any] = {
    "resourceType": "Appointment",
    "status": "proposed",
    "participant": [{"actor": {"reference": "Patient/1"}, "status": "needs-action"}],
}


def refused(body: bytes, limits: Limits | None = None) -> Issue:
    with pytest.raises(InvalidResource) as caught:
        parse(body, limits or Limits())
    (issue,) = caught.value.issues
    return issue


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        (b'{"a":NaN}', "value", "NaN"),
        (b'{"a":-Infinity}', "value", "-Infinity"),
        (b'{"a":1e400}', "value", "out of range"),
        (b'{"a":1e-400}', "value", "out of range"),
        (b'{"a":1e99999999999999999999}', "value", "out of range"),
        (b'{"a":' + b"9" * 5000 + b"}", "value", "more than 64 characters"),
        (b'{"a":"\\ud800"}', "structure", "surrogate"),
        (b'{"\\udc00":1}', "structure", "surrogate"),
        (b'{"a":"\xed\xa0\x80"}', "structure", "not UTF-8"),
        (b'{"a":"x\\u0000"}', "structure", "NUL"),
        (b'{"a":["x",{"b":"\\u0000"}]}', "structure", "NUL"),
        (b'{"a":"x\x00"}', "structure", "line 1"),
        (b'{"a":1,"b":2,"a":1}', "structure", "'a' occurs twice"),
        (b'{"a":{"b":1,"b":1}}', "structure", "'b' occurs twice"),
        (b'{"a":"\xff"}', "structure", "byte 6"),
        (b'\xef\xbb\xbf{"a":1}', "structure", "byte order mark"),
        ('{"a":1}'.encode("utf-16"), "structure", "not UTF-8"),
        ('{"a":1}'.encode("utf-16-le"), "structure", "not JSON"),
        (b"[]", "structure", "one JSON object"),
        (b'"x"', "structure", "one JSON object"),
        (b"", "structure", "not JSON"),
        (b'{"a":1} {}', "structure", "not JSON"),
        (b'{"a":01}', "structure", "not JSON"),
        (b"{'a':1}", "structure", "not JSON"),
    ],
)
def test_what_is_not_strict_json_is_refused(body: bytes, code: str, said: str) -> None:
    issue = refused(body)
    assert (issue.severity, issue.code) == ("fatal", code)
    assert said in issue.diagnostics


@pytest.mark.parametrize("opening", [b'{"a":', b"["])
def test_depth_is_limited_before_it_can_hurt(opening: bytes) -> None:
    assert refused(opening * 100_000).code == "too-costly"
    assert refused(b'{"a":' + opening * 64 + b"1").code == "too-costly"


def test_sixty_four_levels_pass_and_brackets_in_strings_do_not_count() -> None:
    assert parse(b'{"a":' + b"[" * 63 + b"]" * 63 + b"}")
    assert parse(json.dumps({"a": '[{"\\' * 100_000}).encode())
    assert refused(b'{"' + b'\\"' * 1_000_000 + b"[" * 100 + b"\\").code == "structure"


def test_size_is_limited() -> None:
    assert refused(b'{"a":"' + b"x" * (5 * 1024 * 1024) + b'"}').code == "too-long"
    assert refused(b'{"a":1}', Limits(size=6)).code == "too-long"


def test_the_answer_to_many_faults_stays_short() -> None:
    assert len(check(TASK | {"note": [{"text": ""}] * 100})) == 50
    assert len(check(TASK | {f"x{number}": 1 for number in range(5000)})) == 50


def test_of_a_hundred_thousand_faults_the_first_is_told() -> None:
    (issue,) = check(TASK | {"note": [{"text": ""}] * 100_000})
    assert issue.expression == "Task.note[0].text"


@pytest.mark.parametrize("number", ["1.10", "0.0", "-0.0", "100", "12345678901234567890.123", "9" * 30, "-5"])
def test_numbers_come_out_as_they_went_in(number: str) -> None:
    body = f'{{"value":{number}}}'.encode()
    assert render(parse(body)) == body


def test_an_exponent_keeps_its_value_and_precision() -> None:
    assert parse(render(parse(b'{"value":1.0e2}')))["value"].as_tuple() == Decimal("1.0E+2").as_tuple()


def test_text_survives() -> None:
    name = "\u202eJosé\u200b \U0001f600"
    assert parse(render({"name": name})) == {"name": name}
    assert parse(b'{"name":"\\ud83d\\ude00"}') == {"name": "\U0001f600"}


@pytest.mark.parametrize(
    ("resource", "expected", "code", "said"),
    [
        ({}, None, "required", "resourceType is required"),
        ({"resourceType": 5}, None, "required", "resourceType is required"),
        ({"resourceType": "Patient"}, "Task", "invalid", "Task is expected here"),
        ({"resourceType": "Medication"}, None, "not-supported", "'Medication'"),
        ({"resourceType": "Banana"}, None, "not-supported", "'Banana'"),
    ],
)
def test_the_type_must_fit_the_place(resource: dict[str, Any], expected: str | None, code: str, said: str) -> None:
    (issue,) = check(resource, expected)
    assert issue.code == code
    assert said in issue.diagnostics


def test_contained_resources_are_checked_by_their_own_type() -> None:
    inner = {"resourceType": "Patient", "id": "p", "gender": "banana"}
    (issue,) = check(TASK | {"for": {"reference": "#p"}, "contained": [inner]})
    assert issue.expression == "Task.contained[0].gender"
    assert check(TASK | {"for": {"reference": "#p"}, "contained": [{"resourceType": "Banana", "id": "p"}]})
    assert not check(TASK | {"focus": {"reference": "#m"}, "contained": [{"resourceType": "Medication", "id": "m"}]})


def test_entries_and_parameters_are_checked_by_their_own_type() -> None:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": TASK | {"status": "banana"}}]}
    assert [issue.expression for issue in check(bundle)] == ["Bundle.entry[0].resource.status"]
    inner = {"name": "in", "part": [{"name": "task", "resource": TASK | {"intent": 1}}]}
    parameters = {"resourceType": "Parameters", "parameter": [inner]}
    assert [issue.expression for issue in check(parameters)] == ["Parameters.parameter[0].part[0].resource.intent"]


def test_issues_become_an_operation_outcome() -> None:
    outcome = operation_outcome(check(TASK | {"status": "banana"}))
    assert check(outcome, "OperationOutcome") == []
    assert outcome["issue"][0]["expression"] == ["Task.status"]
    assert check(operation_outcome([])) == []


def test_no_damage_makes_the_check_itself_fail() -> None:
    chance = random.Random(20261123)
    junk: list[Any] = [
        None,
        [],
        {},
        "",
        0,
        True,
        "#a",
        [None],
        {"a": 1},
        {"resourceType": ["x"]},
        {"reference": 5},
        2**40,
    ]
    whole = APPOINTMENT | {
        "contained": [{"resourceType": "Medication", "id": "m", "meta": 3}],
        "reasonReference": [{"reference": "#m"}],
        "requestedPeriod": [{"start": "2026-03-01", "end": "2026-03-02"}],
        "extension": [{"url": "a:b", "valueTiming": {"repeat": {"offset": 1, "when": ["HS"]}}}],
    }
    for _ in range(2000):
        damaged: Any = copy.deepcopy({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": whole}]})
        node, key = damaged, "entry"
        for _ in range(chance.randint(1, 8)):
            inner = node[key]
            if not isinstance(inner, dict | list) or not inner:
                break
            node, key = inner, chance.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))
        node[key] = chance.choice(junk)
        assert all(issue.diagnostics for issue in check(damaged))


KNOWN_FAULTS = {
    "Bundle-dataelements.json": "entries with the same fullUrl",
    "MedicationRequest-medrx0301.json": "dispenseRequest.performer refers to a Practitioner",
    "Observation-clinical-gender.json": "performer refers to an Encounter",
    "Questionnaire-qs1.json": "items without linkId",
}


@pytest.mark.skipif(not EXAMPLES, reason="needs HL7's R4 examples: set CALCINOSIS_PATHWAY_R4_EXAMPLES to their folder")
def test_hl7s_own_examples_are_admitted_and_come_out_unchanged() -> None:
    faulty, seen = set(), 0
    for file in sorted(Path(str(EXAMPLES)).glob("*.json")):
        body = file.read_bytes()
        resource = parse(body, Limits(size=64 * 1024 * 1024))
        assert parse(render(resource), Limits(size=64 * 1024 * 1024)) == resource
        if resource.get("resourceType") in tables.resource_types():
            seen += 1
            faulty |= {file.name} if check(resource) else set()
    assert seen > 2800
    assert faulty == set(KNOWN_FAULTS)

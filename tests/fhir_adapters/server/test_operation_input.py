"""What an operation is asked: read from the query and the body as it is declared, or refused by name."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhir_adapters.server.errors import Malformed
from fhir_adapters.server.operation import Asked, Operation, Parameter
from fhir_adapters.server.operation_input import asked
from pathway.ports import Query, Resource, Transaction

PATIENT: Resource = {"resourceType": "Patient", "id": "p1"}
TASK: Resource = {"resourceType": "Task", "status": "requested", "intent": "order"}
PARAMETERS = (
    Parameter("now", "dateTime"),
    Parameter("formal", "boolean"),
    Parameter("count", "integer"),
    Parameter("dose", "decimal"),
    Parameter("tag", "code", max="*"),
    Parameter("window", "Period"),
    Parameter("author", "Reference"),
    Parameter("patient", "Patient"),
    Parameter("context", max="2", parts=(Parameter("name", "string", min=1), Parameter("content", "Any"))),
)


def unanswered(_tx: Transaction, _asked: Asked) -> Resource:
    raise AssertionError("an operation is not carried out here")


def operation(*parameters: Parameter) -> Operation:
    return Operation(
        "greet", "Patient", "https://x.example/greet", unanswered, affects_state=False, parameters=parameters
    )


def read(query: Query = (), body: Resource | None = None, id: str = "") -> Asked:
    return asked(operation(*PARAMETERS), id, query, body)


def body(*parameters: dict[str, Any]) -> Resource:
    return {"resourceType": "Parameters", "parameter": list(parameters)}


def context(*parts: dict[str, Any]) -> Resource:
    return {"name": "context", "part": list(parts)}


def refusal(query: Query = (), sent: Resource | None = None) -> list[str]:
    with pytest.raises(Malformed) as refused:
        read(query, sent)
    return [issue.diagnostics for issue in refused.value.issues]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("now", "2026-03-01T09:30:00+01:00", "2026-03-01T09:30:00+01:00"),
        ("now", "2026-03", "2026-03"),
        ("formal", "true", True),
        ("formal", "false", False),
        ("count", "-12", -12),
        ("dose", "1.10", Decimal("1.10")),
        ("dose", "2", Decimal(2)),
        ("tag", "urgent", "urgent"),
        ("author", "Practitioner/gp", {"reference": "Practitioner/gp"}),
    ],
)
def test_a_text_of_the_query_becomes_what_is_declared(name: str, text: str, value: object) -> None:
    [found] = read([(name, text), ("_format", "json")]).all(name, object)
    assert (found, type(found), str(found)) == (value, type(value), str(value))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("now", "tomorrow", "'tomorrow' is not a date"),
        ("now", "", "'' is not a date"),
        ("formal", "yes", "must be true or false"),
        ("count", "1.0", "whole number"),
        ("count", "+1", "whole number"),
        ("count", "9999999999", "integer"),
        ("dose", "much", "must be a number"),
        ("author", "Dr. Berg", "is not a reference: Type/id"),
    ],
)
def test_a_text_that_is_no_such_value_is_refused_by_name(name: str, text: str, expected: str) -> None:
    sentences = refusal([(name, text)])
    assert all(sentence.startswith(f"Parameter '{name}': ") for sentence in sentences)
    assert any(expected in sentence for sentence in sentences)


@pytest.mark.parametrize(("name", "type"), [("window", "Period"), ("patient", "Patient")])
def test_only_primitives_stand_in_the_query(name: str, type: str) -> None:
    [sentence] = refusal([(name, "x")])
    assert sentence.startswith(f"The parameter {name} is of type {type}: it cannot stand in the address")


def test_a_parameters_resource() -> None:
    found = read(
        body=body(
            {"name": "tag", "valueCode": "a"},
            {"name": "formal", "valueBoolean": False},
            {"name": "window", "valuePeriod": {"start": "2026-03-01"}},
            {"name": "tag", "valueCode": "b"},
            {"name": "patient", "resource": PATIENT},
            {"name": "author", "valueReference": {"reference": "Practitioner/gp"}},
        ),
        id="p1",
    )
    assert found.id == found.instance == "p1"
    assert found.all("tag", str) == ["a", "b"]
    assert found.one("formal", bool) is False
    assert found.one("window", dict) == {"start": "2026-03-01"}
    assert found.resource("patient") == PATIENT
    assert found.required("author", dict) == {"reference": "Practitioner/gp"}
    assert (found.one("now", str), found.resource("context")) == (None, None)


def test_a_reference_may_be_sent_as_its_string() -> None:
    found = read(body=body({"name": "author", "valueString": "Practitioner/gp"}))
    assert found.one("author", dict) == {"reference": "Practitioner/gp"}
    assert "is not a reference" in refusal(sent=body({"name": "author", "valueString": "nobody"}))[0]


def test_the_only_resource_may_be_the_body_itself_beside_a_query() -> None:
    found = read([("formal", "true")], PATIENT)
    assert (found.resource("patient"), found.one("formal", bool)) == (PATIENT, True)


def test_parts_are_read_like_parameters() -> None:
    named = {"name": "name", "valueString": "patient"}
    found = read(
        body=body(
            context(named, {"name": "content", "resource": PATIENT}),
            context(named, {"name": "content", "valueReference": {"reference": "Patient/p1"}}),
        )
    )
    first, second = found.all("context", Asked)
    assert (first.one("name", str), first.resource("content")) == ("patient", PATIENT)
    assert second.one("content", dict) == {"reference": "Patient/p1"}


def test_nothing_sent_is_nothing_asked() -> None:
    for sent in (None, {"resourceType": "Parameters"}):
        found = read(body=sent)
        assert (found.id, set(map(len, found.values.values()))) == (None, {0})


@pytest.mark.parametrize(
    ("parameter", "sentence"),
    [
        ({"name": "when", "valueDate": "2026"}, "There is no parameter 'when'; expected: now, formal, count, dose, "),
        (
            {"name": "now", "valueString": "2026"},
            "now is of type dateTime, sent as valueDateTime; this was valueString",
        ),
        ({"name": "now", "resource": PATIENT}, "now is of type dateTime, sent as valueDateTime; this was a Patient"),
        ({"name": "now", "valueDateTime": "soon"}, "Parameter 'now': Parameters.parameter[0].valueDateTime: 'soon' is"),
        (
            {"name": "patient", "valueString": "p1"},
            "patient is of type Patient, sent as resource; this was valueString",
        ),
        ({"name": "patient", "resource": TASK}, "patient is of type Patient, sent as resource; this was a Task"),
        (
            {"name": "patient", "resource": PATIENT | {"gender": "x"}},
            "Parameter 'patient': Parameters.parameter[0].res",
        ),
        ({"name": "author", "valueUri": "Practitioner/gp"}, "sent as valueReference; this was valueUri"),
        ({"name": "context", "valueString": "x"}, "context is made of parts, sent as part; this was valueString"),
        (context({"name": "x", "valueString": "x"}), "'context.x'; expected: context.name, context.content"),
        (
            context({"name": "content", "valueString": "x"}),
            "context.name is of type string: at least 1 expected, 0 sent",
        ),
    ],
)
def test_what_is_not_as_declared_is_refused_by_name(parameter: Resource, sentence: str) -> None:
    assert any(sentence in each for each in refusal(sent=body(parameter)))


def test_too_many_and_too_few() -> None:
    twice = body({"name": "formal", "valueBoolean": True}, {"name": "count", "valueInteger": 1})
    assert refusal([("formal", "false")], twice) == [
        "The parameter formal is of type boolean: at most 1 expected, 2 sent"
    ]
    needing = operation(Parameter("reason", "string", min=1), Parameter("author", "Reference", min=1))
    with pytest.raises(Malformed) as refused:
        asked(needing, "", [("other", "x")], None)
    assert [(issue.code, issue.diagnostics) for issue in refused.value.issues] == [
        ("not-supported", "There is no parameter 'other'; expected: reason, author"),
        ("required", "The parameter reason is of type string: at least 1 expected, 0 sent"),
        ("required", "The parameter author is of type Reference: at least 1 expected, 0 sent"),
    ]


@pytest.mark.parametrize(
    "parameters", [(), (Parameter("one", "Patient"), Parameter("other", "Resource")), (Parameter("now", "dateTime"),)]
)
def test_a_body_that_is_no_parameters_needs_one_place_to_go(parameters: tuple[Parameter, ...]) -> None:
    with pytest.raises(Malformed, match=r"\$greet takes a Parameters resource, not 'Patient'"):
        asked(operation(*parameters), "", [], PATIENT)


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"resourceType": "Patient", "gender": "x"},
        {"resourceType": "Banana"},
        {"resourceType": "Parameters", "parameter": {}},
        {"resourceType": "Parameters", "parameter": [1]},
        {"resourceType": "Parameters", "parameter": [{"valueString": "x"}]},
        {"resourceType": "Parameters", "parameter": [{"name": 5, "valueString": "x"}]},
        {"resourceType": "Parameters", "parameter": [{"name": "now"}]},
        {"resourceType": "Parameters", "parameter": [{"name": "now", "_valueDateTime": {"id": "x"}}]},
        {"resourceType": "Parameters", "parameter": [{"name": "patient", "resource": {}}]},
        {"resourceType": "Parameters", "parameter": [{"name": "context", "part": [{"name": "name"}]}]},
    ],
)
def test_what_is_no_fhir_is_refused(sent: Resource) -> None:
    assert refusal(sent=sent)


def test_a_name_or_kind_that_was_not_declared_is_an_error_of_the_caller() -> None:
    found = read([("formal", "true")])
    with pytest.raises(KeyError):
        found.one("informal", bool)
    with pytest.raises(TypeError, match="formal is no str"):
        found.one("formal", str)
    with pytest.raises(LookupError):
        assert found.instance

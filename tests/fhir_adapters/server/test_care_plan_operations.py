"""Our own operations as they are declared and as their OperationDefinitions describe them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fhir_adapters.r4 import admission, tables
from fhir_adapters.server.apply_operations import apply_activity, apply_plan
from fhir_adapters.server.care_plan_operations import explain, individualize, migrate, what_if
from fhir_adapters.server.operation import Asked, Operation, Parameter
from pathway.library import Library
from pathway.ports import Resource, Transaction
from tests.fhir_adapters.server.conftest import Base


def unanswered(_tx: Transaction, _asked: Asked) -> Resource:
    raise AssertionError("an operation is not carried out here")


OWN = [declare(unanswered) for declare in (explain, what_if, migrate, individualize, apply_plan, apply_activity)]


@pytest.fixture(scope="module")
def definitions() -> dict[str, Resource]:
    resources = Library.load().resources()
    return {each["url"]: each for each in resources if each["resourceType"] == "OperationDefinition"}


def described(definition: Resource) -> Iterator[Parameter]:
    for each in definition["parameter"]:
        if each["use"] == "in":
            yield Parameter(each["name"], each["type"], each["min"], each["max"])


def test_each_definition_is_declared(definitions: dict[str, Resource]) -> None:
    assert sorted(definitions) == sorted(own.definition for own in OWN)


@pytest.mark.parametrize("own", OWN, ids=lambda own: f"{own.type}-{own.name}")
def test_declaration_and_definition_agree(own: Operation, definitions: dict[str, Resource]) -> None:
    definition = definitions[own.definition]
    assert admission.check(definition, "OperationDefinition") == []
    assert (definition["kind"], definition["code"], definition["resource"]) == ("operation", own.name, [own.type])
    assert definition["affectsState"] is own.affects_state
    assert {level for level in ("system", "type", "instance") if definition[level]} == own.levels
    assert tuple(described(definition)) == own.parameters
    [out] = [each for each in definition["parameter"] if each["use"] == "out"]
    answer = "Resource" if own.name == "apply" else "Parameters"
    assert (out["name"], out["type"], out["min"], out["max"]) == ("return", answer, 1, "1")


@pytest.mark.parametrize("own", OWN, ids=lambda own: f"{own.type}-{own.name}")
def test_every_parameter_can_be_sent(own: Operation) -> None:
    keys = tables.keys("Parameters.parameter")
    assert [each.name for each in own.parameters if each.key not in keys] == []


def test_a_client_finds_a_definition_by_its_id_and_by_its_canonical(
    base: Base, definitions: dict[str, Resource]
) -> None:
    for url, definition in definitions.items():
        place = f"/OperationDefinition/{definition['id']}"
        assert base.put(place, definition).status_code == 201
        found = base.get(f"/OperationDefinition?url={url}").json()["entry"]
        assert [each["resource"]["code"] for each in found] == [base.get(place).json()["code"]]

"""The description of the admin REST is complete, and true as far as it can be compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.service.conftest import Ask

METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture
def described(ask: Ask) -> dict[str, Any]:
    document: dict[str, Any] = ask("GET", "/openapi.json").json()
    return document


def operations(described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in described["paths"].items():
        for method in METHODS & item.keys():
            yield f"{method.upper()} {path}", item[method]


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1")
    for reference in set(references(described)):
        place: Any = described
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_every_operation_has_a_summary_and_a_name_of_its_own(described: dict[str, Any]) -> None:
    found = list(operations(described))
    assert len(found) == 36
    assert all(len(operation["summary"]) > 8 and operation["tags"] for _, operation in found)
    assert len({operation["operationId"] for _, operation in found}) == len(found)


def test_every_answer_is_documented(described: dict[str, Any]) -> None:
    for name, operation in operations(described):
        responses = operation["responses"]
        assert {"401", "422", "500"} <= responses.keys(), name
        assert ("404" in responses) == ("{" in name), name
        assert ("400" in responses) == ("requestBody" in operation), name
        for status, response in responses.items():
            good = "image/svg+xml" if name.endswith("/picture") else "application/json"
            media = good if status < "300" else "application/problem+json"
            assert response["description"], name
            assert list(response["content"]) == [media], (name, status)
            assert media == "image/svg+xml" or "$ref" in response["content"][media]["schema"], (name, status)


def test_requests_refuse_what_they_do_not_know(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    bodies = [
        o["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        for _, o in operations(described)
        if "requestBody" in o
    ]
    assert bodies
    assert all(schemas[body.rpartition("/")[2]]["additionalProperties"] is False for body in bodies)


def test_the_token_is_described(described: dict[str, Any]) -> None:
    assert described["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    assert all(operation["security"] for _, operation in operations(described))

"""$validate."""

from __future__ import annotations

from typing import Any

from fhir_adapters.r4 import admission
from tests.fhir_adapters.server.conftest import FORBIDDEN_NOTE, Base

_TASK: dict[str, Any] = {"resourceType": "Task", "status": "requested", "intent": "order"}


def _severities(base: Base, path: str, body: Any) -> list[str]:
    answer = base.post(path, body)
    assert answer.status_code == 200, answer.text
    assert admission.check(answer.json(), "OperationOutcome") == []
    return [issue["severity"] for issue in answer.json()["issue"]]


def test_a_valid_resource(base: Base) -> None:
    assert _severities(base, "/Task/$validate", _TASK) == ["information"]
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": _TASK}]}
    assert _severities(base, "/Task/$validate", parameters) == ["information"]
    assert base.total("Task") == 0


def test_what_is_wrong_comes_with_200(base: Base) -> None:
    assert _severities(base, "/Task/$validate", _TASK | {"status": "banana"}) == ["error"]
    assert _severities(base, "/Patient/$validate", _TASK) == ["error"]
    assert _severities(base, "/Task/$validate", _TASK | {"note": [{"text": FORBIDDEN_NOTE}]}) == ["error"]


def test_on_an_instance(base: Base) -> None:
    base.put("/Task/t", _TASK | {"id": "t"})
    assert _severities(base, "/Task/t/$validate", _TASK | {"id": "t"}) == ["information"]
    assert _severities(base, "/Task/t/$validate", _TASK | {"id": "other"}) == ["error"]
    assert _severities(base, "/Task/t/$validate", b"") == ["information"]
    assert base.post("/Task/none/$validate", b"").status_code == 404


def test_without_a_resource(base: Base) -> None:
    assert base.post("/Task/$validate", b"").status_code == 400
    assert base.post("/Task/$validate", {"resourceType": "Parameters"}).status_code == 400
    assert base.post("/Nonsense/$validate", _TASK).status_code == 404

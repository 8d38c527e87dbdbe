"""The CapabilityStatement says what the router does, and the server does what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx

from fhir_adapters.r4 import admission
from fhir_adapters.server.registry import INTERACTIONS
from fhir_adapters.server.resource_types import RESOURCE_TYPES
from tests.fhir_adapters.server.conftest import Base, Opener

_TASK: dict[str, Any] = {"resourceType": "Task", "status": "requested", "intent": "order"}
_STORED = _TASK | {"id": "t"}
_KEYED = _TASK | {"identifier": [{"system": "http://example.org", "value": "1"}]}
_CONDITION = "identifier=http://example.org|1"


def _bundle(type: str) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": type, "entry": [{"request": {"method": "GET", "url": "Task"}}]}


PROBES: Mapping[str, Callable[[Base], httpx.Response]] = {
    "transaction": lambda base: base.post("", _bundle("transaction")),
    "batch": lambda base: base.post("", _bundle("batch")),
    "read": lambda base: base.get("/Task/t"),
    "vread": lambda base: base.get("/Task/t/_history/1"),
    "history-instance": lambda base: base.get("/Task/t/_history"),
    "search-type": lambda base: base.get("/Task"),
    "create": lambda base: base.post("/Task", _TASK),
    "update": lambda base: base.put("/Task/t", _STORED | {"priority": "stat"}),
    "delete": lambda base: base.delete("/Task/t"),
    "validate": lambda base: base.post("/Task/$validate", _TASK),
    "conditionalCreate": lambda base: base.post("/Task", _KEYED, If_None_Exist=_CONDITION),
    "conditionalUpdate": lambda base: base.put(f"/Task?{_CONDITION}", _KEYED),
    "updateCreate": lambda base: base.put("/Task/new", _TASK | {"id": "new"}),
    "readHistory": lambda base: base.get("/Task/t/_history/1"),
}


def test_the_statement_is_valid(base: Base) -> None:
    answer = base.get("/metadata")
    assert admission.check(admission.parse(answer.content), "CapabilityStatement") == []
    statement = answer.json()
    assert (statement["fhirVersion"], statement["kind"]) == ("4.0.1", "instance")
    assert statement["implementation"]["url"] == base.url
    assert statement["software"]["version"] == "0.1.0"
    [rest] = statement["rest"]
    assert [each["type"] for each in rest["resource"]] == list(RESOURCE_TYPES)


def test_what_is_advertised_is_what_the_router_has(base: Base) -> None:
    [rest] = base.get("/metadata").json()["rest"]
    assert {each["code"] for each in rest["interaction"]} == {"transaction", "batch"}
    routed = {each.code for each in INTERACTIONS if each.level != "whole-system" and not each.operation}
    for resource in rest["resource"]:
        assert {each["code"] for each in resource["interaction"]} == routed
        assert [each["name"] for each in resource["operation"]] == ["validate"]
        assert resource["versioning"] == "versioned-update"
        assert resource["conditionalDelete"] == "not-supported"
        assert resource["conditionalRead"] == "full-support"


def test_every_advertised_interaction_answers_validly(base: Base) -> None:
    [rest] = base.get("/metadata").json()["rest"]
    [task] = [each for each in rest["resource"] if each["type"] == "Task"]
    advertised = [each["code"] for each in rest["interaction"] + task["interaction"]]
    advertised += [each["name"] for each in task["operation"]]
    advertised += [name for name, value in task.items() if value is True]
    for code in dict.fromkeys(advertised):
        base.put("/Task/t", _STORED)
        answer = PROBES[code](base)
        assert answer.is_success, (code, answer.text)
        if answer.content:
            assert admission.check(admission.parse(answer.content)) == [], code


def test_every_type_can_be_written_to_and_searched(base: Base) -> None:
    for type in RESOURCE_TYPES:
        assert base.get(f"/{type}").json()["total"] == 0
        assert base.post(f"/{type}", {"resourceType": type, "nonsense": 1}).status_code == 422


def test_every_advertised_search_parameter_is_searched(base: Base) -> None:
    values = {"token": "x", "reference": "Patient/x", "string": "x", "date": "2026", "uri": "http://x.example"}
    [rest] = base.get("/metadata").json()["rest"]
    for resource in rest["resource"]:
        assert {"_id", "_lastUpdated", "_tag"} <= {each["name"] for each in resource["searchParam"]}
        query = "&".join(f"{each['name']}={values[each['type']]}" for each in resource["searchParam"])
        answer = base.get(f"/{resource['type']}?{query}", Prefer="handling=strict")
        assert (answer.status_code, answer.json().get("total")) == (200, 0), answer.text


def test_an_unchanged_statement_is_304(base: Base) -> None:
    tag = base.get("/metadata").headers["etag"]
    assert base.get("/metadata", If_None_Match=tag).status_code == 304
    assert base.get("/metadata", If_None_Match='W/"1"').status_code == 200


def test_a_closed_base_says_so(open_base: Opener) -> None:
    closed = open_base(token="s3cret")
    answer = closed.get("/metadata")
    assert "bearer token" in answer.json()["rest"][0]["security"]["description"]
    assert "s3cret" not in answer.text

"""Bad input: what is answered, and that nothing is stored."""

from __future__ import annotations

import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from fhir_adapters.r4 import admission
from fhir_adapters.server.app import MAX_BODY_BYTES
from pathway.ports import Resource, Transaction
from tests.fhir_adapters.server.conftest import FORBIDDEN_NOTE, Base, Opener, patient

_DEEP = b'{"resourceType":"Patient","extension":' + b"[" * 100 + b"]" * 100 + b"}"
_TASK: dict[str, Any] = {"resourceType": "Task", "status": "requested", "intent": "order"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"resourceType":"Patient","multipleBirthInteger":NaN}',
        b'{"resourceType":"Patient","active":true,"active":false}',
        b'{"resourceType":"Patient","id":"\\ud800"}',
        b'{"resourceType":"Patient","language":"\xff"}',
        _DEEP,
    ],
)
def test_what_is_not_json_is_400(base: Base, body: bytes) -> None:
    for answer in (base.post("/Patient", body), base.put("/Patient/p", body), base.post("", body)):
        assert answer.status_code == 400
        assert admission.check(answer.json(), "OperationOutcome") == []
    assert base.total("Patient") == 0


def test_an_overlong_body_is_413(base: Base) -> None:
    answer = base.post("/Patient", b" " * (MAX_BODY_BYTES + 1))
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (413, "too-long")


def test_another_type_than_the_address_says_is_400(base: Base) -> None:
    assert base.post("/Patient", _TASK).status_code == 400


@pytest.mark.parametrize(
    "body",
    [_TASK | {"status": "banana"}, _TASK | {"intent": None}, _TASK | {"nonsense": 1}, {"resourceType": "Task"}],
)
def test_invalid_fhir_is_422(base: Base, body: Resource) -> None:
    answer = base.post("/Task", body)
    assert answer.status_code == 422
    assert admission.check(answer.json(), "OperationOutcome") == []


def test_every_fault_is_named(base: Base) -> None:
    issues = base.post("/Task", _TASK | {"status": "banana", "priority": "soon"}).json()["issue"]
    assert {issue["expression"][0] for issue in issues} == {"Task.status", "Task.priority"}


def test_a_business_check_is_422(base: Base) -> None:
    answer = base.post("/Task", _TASK | {"note": [{"text": FORBIDDEN_NOTE}]})
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["code"] == "business-rule"
    assert base.total("Task") == 0


@pytest.mark.parametrize(
    "content_type", ["application/xml", "text/plain", "", "application/fhir+json; charset=latin-1"]
)
def test_other_content_types_are_415(base: Base, content_type: str) -> None:
    answer = base.post("/Patient", json.dumps(patient("1")).encode(), Content_Type=content_type)
    assert answer.status_code == 415


def test_json_names_are_understood(base: Base) -> None:
    for content_type in ("application/json", "application/fhir+json; charset=UTF-8; fhirVersion=4.0"):
        assert base.post("/Patient", patient("1"), Content_Type=content_type).status_code == 201


@pytest.mark.parametrize("accept", ["application/fhir+xml", "text/html", "application/fhir+json; fhirVersion=5.0"])
def test_other_accepts_are_406(base: Base, accept: str) -> None:
    assert base.get("/metadata", Accept=accept).status_code == 406
    assert base.get("/metadata?_format=json", Accept=accept).status_code == 200
    assert base.get("/metadata", Accept=f"{accept}, */*;q=0.1").status_code == 200


def test_format_goes_before_accept(base: Base) -> None:
    assert base.get("/Patient?_format=xml").status_code == 406
    for name in ("json", "application/json", "application/fhir%2Bjson", "application/fhir+json"):
        assert base.get(f"/Patient?_format={name}").status_code == 200


def test_unknown_places(base: Base) -> None:
    unknown = base.get("/Medication/1")
    assert unknown.status_code == 404
    assert "Medication" in unknown.json()["issue"][0]["diagnostics"]
    assert base.get("/a/b/c/d/e").status_code == 404
    for place in (
        "/Patient/",
        "/Patient/%00",
        "/Patient/a_b",
        "/Patient/_search",
        "/Patient/1/_history/%00",
        "/Patient/$x",
    ):
        assert base.get(place).status_code == 404
    assert base.post("/Patient/1", patient()).status_code == 405
    not_there = base.http.patch(f"{base.url}/Patient/1")
    assert not_there.status_code == 405
    assert set(not_there.headers["allow"].split(", ")) == {"DELETE", "GET", "HEAD", "PUT"}
    for answer in (unknown, not_there):
        assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_failure_leaks_nothing_but_its_log_id(base: Base) -> None:
    def react(_tx: Transaction, _: Resource) -> None:
        raise RuntimeError("Secret Name, born 1970")

    base.reaction = react
    with capture_logs() as logs:
        answer = base.post("/Patient", patient("1"))
    assert answer.status_code == 500
    assert "Secret" not in answer.text
    [failure] = [line for line in logs if line["event"] == "unforeseen error"]
    assert failure["id"] in answer.text
    assert "Secret" not in str(logs)
    assert base.total("Patient") == 0


def test_the_access_log_has_no_ids(base: Base) -> None:
    with capture_logs() as logs:
        base.get("/Patient/secret-1?identifier=secret-2")
        base.get("/secret-3/secret-4")
        base.get("/a/b/c/d/secret-5")
    lines = [line for line in logs if line["event"] == "request"]
    assert [line["route"] for line in lines] == ["/Patient/{id}", "/{type}/{id}", None]
    assert [(line["method"], line["status"]) for line in lines] == [("GET", 404)] * 3
    assert all(line["ms"] >= 0 for line in lines)
    assert "secret" not in str(logs)


def test_a_token_is_asked_for(open_base: Opener) -> None:
    closed = open_base(token="s3cret")
    for authorization in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic s3cret"}):
        answer = closed.get("/Patient", **authorization)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["issue"][0]["code"] == "login"
        assert closed.post("/Patient", patient("1"), **authorization).status_code == 401
    assert closed.get("/Patient", Authorization="Bearer s3cret").json()["total"] == 0
    assert closed.get("/metadata").status_code == 200


def test_answers_are_not_for_shared_caches(base: Base) -> None:
    assert base.get("/Patient").headers["cache-control"] == "private, no-cache"


def test_hospitals_do_not_see_each_other(open_base: Opener) -> None:
    one, other = open_base(), open_base()
    one.put("/Patient/p", patient("1", id="p"))
    assert other.get("/Patient/p").status_code == 404
    assert other.total("Patient") == 0

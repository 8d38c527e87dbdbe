"""Every error is a problem+json, and says nothing it should not."""

from __future__ import annotations

import httpx
import pytest
from pydantic import SecretStr

from pathway.errors import Gone, MultipleMatches, PathwayError, Unreachable
from service.admin.problems import problem
from service.bootstrap import Services
from tests.service.conftest import Ask, asking, site

TOKEN = "s3cret-tökèn"


def assert_problem(answered: httpx.Response, status: int, slug: str) -> None:
    assert answered.status_code == status, answered.text
    assert answered.headers["content-type"] == "application/problem+json"
    body = answered.json()
    assert body["status"] == status
    assert body["type"].endswith(f"/{slug}")
    assert body["title"]
    assert body["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"base_url": ',
        b'{"advance_seconds": NaN}',
        b'{"advance_seconds": -Infinity}',
        b'{"by": "\\ud800"}',
        b'{"by": "a\\u0000b"}',
        b'{"by": "x", "by": "y"}',
        b"\xff\xfe",
        b"[]",
        b"[" * 200 + b"]" * 200,
        b'{"advance_seconds": 1' + b"0" * 5000 + b"}",
    ],
)
def test_a_body_that_cannot_be_read_is_malformed(ask: Ask, body: bytes) -> None:
    for path in ("", "/north/clock", "/north/alerts/1/acknowledge", "/north/quarantine/1/resolve"):
        answered = ask("POST", f"/hospitals{path}", content=body, headers={"content-type": "application/json"})
        assert_problem(answered, 400, "malformed")


def test_a_body_that_is_no_json_by_its_type_is_not_valid(ask: Ask, registered: str) -> None:
    answered = ask("POST", f"/hospitals/{registered}/clock", content=b"<x/>", headers={"content-type": "text/xml"})
    assert_problem(answered, 422, "invalid-request")
    assert answered.json()["errors"][0]["where"] == "body"


def test_too_large_a_body_is_refused(ask: Ask) -> None:
    content = b'{"by": "' + b"x" * 1_100_000 + b'"}'
    answered = ask("POST", "/hospitals", content=content, headers={"content-type": "application/json"})
    assert_problem(answered, 413, "too-large")


def test_unknown_routes_methods_and_parameters(ask: Ask, registered: str) -> None:
    assert_problem(ask("GET", "/nowhere"), 404, "not-found")
    answered = ask("DELETE", f"/hospitals/{registered}")
    assert_problem(answered, 405, "method-not-allowed")
    assert answered.headers["allow"] == "GET"
    answered = ask("GET", f"/hospitals/{registered}/outbox?stat=waiting")
    assert_problem(answered, 422, "invalid-request")
    assert answered.json()["errors"][0]["where"] == "query.stat"
    assert_problem(ask("GET", f"/hospitals/{registered}/patients?cursor=abc"), 422, "invalid-resource")
    assert_problem(ask("GET", f"/hospitals/{registered}/due?cursor=%ED%A0%80"), 422, "invalid-resource")
    assert_problem(ask("GET", f"/hospitals/{registered}/due?state=banana"), 422, "invalid-request")


def test_what_was_sent_is_not_repeated(ask: Ask, closed_base: str) -> None:
    sent = {"base_url": closed_base, "site": site(zone="Maria Muster", kind="Maria Muster", hospital="Maria Muster")}
    answered = ask("POST", "/hospitals", json={**sent, "clinical_time": "Maria Muster"})
    assert_problem(answered, 422, "invalid-request")
    assert "Maria" not in answered.text
    assert len(answered.json()["errors"]) == 4


def test_an_unexpected_error_is_a_log_id_and_nothing_more(
    ask: Ask, services: Services, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise RuntimeError("Maria Muster at /srv/secret.py")

    monkeypatch.setattr(services.store, "hospitals", broken)
    answered = ask("GET", "/hospitals")
    assert_problem(answered, 500, "unexpected")
    assert answered.json()["instance"].startswith("urn:uuid:")
    assert "Muster" not in answered.text
    assert answered.json()["instance"].removeprefix("urn:uuid:") in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("error", "status"), [(Gone(), 404), (MultipleMatches(), 409), (Unreachable(), 502), (PathwayError("x"), 500)]
)
def test_the_status_comes_from_the_nearest_known_kind_of_error(error: PathwayError, status: int) -> None:
    assert problem(error).status_code == status


@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer wrong", f"Basic {TOKEN}", "Bearer \xff\xfe", f"Bearer {TOKEN}x"]
)
def test_nothing_is_answered_without_the_token(services: Services, header: str | None) -> None:
    services.settings.bearer_token = SecretStr(TOKEN)
    headers = {} if header is None else {"authorization": header.encode("latin-1")}
    for path in ("/hospitals", "/openapi.json", "/nowhere"):
        answered = asking(services)("GET", path, headers=headers)
        assert_problem(answered, 401, "unauthorized")
        assert answered.headers["www-authenticate"] == "Bearer"


def test_with_the_token_all_is_as_without_one(services: Services) -> None:
    services.settings.bearer_token = SecretStr(TOKEN)
    ask = asking(services)
    headers = {"authorization": b"bearer " + TOKEN.encode()}
    assert ask("GET", "/hospitals", headers=headers).json() == {"hospitals": []}
    assert ask("GET", "/openapi.json", headers=headers).status_code == 200

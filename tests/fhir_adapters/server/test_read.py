"""read, vread, history and conditional read."""

from __future__ import annotations

from fhir_adapters.r4 import admission
from tests.fhir_adapters.server.conftest import Base, patient


def _created(base: Base) -> str:
    return str(base.post("/Patient", patient("1")).json()["id"])


def test_read_says_which_version_it_is(base: Base) -> None:
    id = _created(base)
    answer = base.get(f"/Patient/{id}")
    assert answer.status_code == 200
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.headers["last-modified"].endswith("GMT")
    assert answer.headers["content-type"] == "application/fhir+json"


def test_a_client_that_has_the_version_gets_304(base: Base) -> None:
    id = _created(base)
    first = base.get(f"/Patient/{id}")
    known = base.get(f"/Patient/{id}", If_None_Match='W/"7", W/"1"')
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", 'W/"1"')
    assert base.get(f"/Patient/{id}", If_None_Match='W/"2"').status_code == 200
    assert base.get(f"/Patient/{id}", If_Modified_Since=first.headers["last-modified"]).status_code == 304
    assert base.get(f"/Patient/{id}", If_Modified_Since="Thu, 01 Jan 2026 00:00:00 GMT").status_code == 200
    assert base.get(f"/Patient/{id}", If_Modified_Since="yesterday").status_code == 200


def test_every_version_stays_readable(base: Base) -> None:
    id = _created(base)
    base.put(f"/Patient/{id}", patient("1", id=id, active=True))
    assert "active" not in base.get(f"/Patient/{id}/_history/1").json()
    assert base.get(f"/Patient/{id}/_history/2").json()["active"] is True
    assert base.get(f"/Patient/{id}/_history/3").status_code == 404
    history = base.get(f"/Patient/{id}/_history").json()
    assert [entry["resource"]["meta"]["versionId"] for entry in history["entry"]] == ["2", "1"]
    assert history["total"] == 2
    assert admission.check(admission.parse(base.get(f"/Patient/{id}/_history").content)) == []


def test_absent_and_deleted_are_different(base: Base) -> None:
    id = _created(base)
    base.delete(f"/Patient/{id}")
    gone, absent = base.get(f"/Patient/{id}"), base.get("/Patient/nobody")
    assert (gone.status_code, gone.json()["issue"][0]["code"]) == (410, "deleted")
    assert (absent.status_code, absent.json()["issue"][0]["code"]) == (404, "not-found")
    assert base.get("/Patient/nobody/_history").status_code == 404


def test_head_is_a_get_without_its_body(base: Base) -> None:
    answer = base.http.head(f"{base.url}/Patient/{_created(base)}")
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (200, b"", 'W/"1"')


def test_numbers_keep_their_digits(base: Base) -> None:
    body = (
        b'{"resourceType":"Observation","status":"final","code":{"text":"size"},'
        b'"valueQuantity":{"value":1.10,"unit":"cm"}}'
    )
    created = base.post("/Observation", body)
    assert b"1.10" in created.content
    assert b"1.10" in base.get(f"/Observation/{created.json()['id']}").content

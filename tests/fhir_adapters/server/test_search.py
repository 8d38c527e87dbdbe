"""search-type."""

from __future__ import annotations

import pytest

from fhir_adapters.r4 import admission
from pathway.ports import Resource
from tests.fhir_adapters.server.conftest import Base, patient


def _filled(base: Base, count: int = 5) -> Base:
    for number in range(count):
        base.put(f"/Patient/p{number}", patient(str(number), id=f"p{number}", gender="female"))
    return base


def _ids(bundle: Resource) -> list[str]:
    return [entry["resource"]["id"] for entry in bundle.get("entry", []) if entry["search"]["mode"] == "match"]


def _links(bundle: Resource) -> dict[str, str]:
    return {link["relation"]: link["url"] for link in bundle["link"]}


def test_a_searchset_is_valid_and_complete(base: Base) -> None:
    _filled(base, 2)
    answer = base.get("/Patient?gender=female")
    bundle = answer.json()
    assert admission.check(admission.parse(answer.content), "Bundle") == []
    assert (bundle["type"], bundle["total"], _ids(bundle)) == ("searchset", 2, ["p0", "p1"])
    assert bundle["entry"][0]["fullUrl"] == f"{base.url}/Patient/p0"
    assert _links(bundle) == {"self": f"{base.url}/Patient?gender=female"}


def test_nothing_found_is_a_valid_searchset(base: Base) -> None:
    answer = base.get("/Patient?gender=male")
    assert admission.check(answer.json(), "Bundle") == []
    assert answer.json()["total"] == 0


def test_post_search_is_a_search(base: Base) -> None:
    _filled(base)
    form = {"identifier": "http://hospital.example/mrn|3"}
    assert _ids(base.http.post(f"{base.url}/Patient/_search", data=form).json()) == ["p3"]
    both = base.http.post(f"{base.url}/Patient/_search?gender=male", data=form).json()
    assert (both["total"], _ids(both)) == (0, [])
    assert base.post("/Patient/_search", b"{}").status_code == 415
    bad = base.http.post(
        f"{base.url}/Patient/_search",
        content=b"gender=\xff",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert bad.status_code == 400


def test_pages_stay_in_place_while_others_write(base: Base) -> None:
    _filled(base)
    page = base.get("/Patient?_count=2&_sort=_id").json()
    assert "total" not in page
    found = _ids(page)
    base.put("/Patient/a-first", patient("first", id="a-first"))
    while "next" in _links(page):
        page = base.http.get(_links(page)["next"]).json()
        found += _ids(page)
    assert found == ["p0", "p1", "p2", "p3", "p4"]


def test_by_last_update_a_page_misses_nothing_that_is_written_meanwhile(base: Base) -> None:
    _filled(base)
    page = base.get("/Patient?_count=2&_sort=_lastUpdated").json()
    found = _ids(page)
    base.put("/Patient/p0", patient("0", id="p0", active=True))
    base.put("/Patient/new", patient("new", id="new"))
    while "next" in _links(page):
        page = base.http.get(_links(page)["next"]).json()
        found += _ids(page)
    assert found == ["p0", "p1", "p2", "p3", "p4", "p0", "new"]


def test_unknown_parameters_are_ignored_and_said_so(base: Base) -> None:
    _filled(base, 1)
    answer = base.get("/Patient?nonsense=secret&gender=female&patient.name=x&_summary=text&_format=json")
    bundle = answer.json()
    assert _ids(bundle) == ["p0"]
    assert _links(bundle)["self"] == f"{base.url}/Patient?gender=female"
    [said] = [entry for entry in bundle["entry"] if entry["search"]["mode"] == "outcome"]
    assert len(said["resource"]["issue"]) == 3
    assert "nonsense" in said["resource"]["issue"][0]["diagnostics"]
    assert "secret" not in answer.text
    assert admission.check(bundle, "Bundle") == []


def test_strict_handling_refuses_unknown_parameters(base: Base) -> None:
    answer = base.get("/Patient?nonsense=1&gender=female", Prefer="handling=strict")
    assert (answer.status_code, answer.json()["issue"][0]["severity"]) == (400, "error")
    assert base.get("/Patient?gender=female", Prefer="handling=strict").status_code == 200
    assert base.get("/Patient?nonsense=1", Prefer="handling=lenient").status_code == 200


def test_counting(base: Base) -> None:
    _filled(base)
    for query in ("_summary=count", "_count=0"):
        counted = base.get(f"/Patient?{query}").json()
        assert (counted["total"], _ids(counted)) == (5, [])
    assert base.get("/Patient?_count=2&_total=accurate").json()["total"] == 5
    assert len(_ids(base.get("/Patient?_count=99999999999999999999").json())) == 5


@pytest.mark.parametrize(
    "query",
    [
        "_count=abc",
        "_count=-1",
        "_count=1.5",
        "_sort=gender",
        "birthdate=soon",
        "birthdate=xx2026",
        "gender:nonsense=female",
        "gender=",
        "identifier=%00",
        "identifier=%ff",
        "_page=tampered",
        "_page=",
        "_page=WyJpZCIsZmFsc2UsMV0",
        "_lastUpdated=never",
        "_page=WyJzZXEiLGZhbHNlLDEwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDBd",
        "_page=WyJzZXEiLGZhbHNlLDkyMjMzNzIwMzY4NTQ3NzU4MDhd",
        "&".join(["gender=female"] * 1000),
    ],
)
def test_bad_search_parameters_are_400(base: Base, query: str) -> None:
    answer = base.get(f"/Patient?{query}")
    assert answer.status_code == 400
    assert admission.check(answer.json(), "OperationOutcome") == []


@pytest.mark.parametrize("gender", ["%27%20OR%201=1--", "%25", "_", "%F0%9F%92%A9", "female%7C", "%5C"])
def test_odd_values_find_nothing(base: Base, gender: str) -> None:
    _filled(base, 1)
    answer = base.get(f"/Patient?gender={gender}")
    assert (answer.status_code, answer.json()["total"]) == (200, 0)

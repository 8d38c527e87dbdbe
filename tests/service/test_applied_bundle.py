"""The Bundle that `PlanDefinition/$apply` answers, stored as it is at the base that answered it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest

from fhir_adapters.server.app import fhir_app
from pathway import codes
from pathway.codes import DECISION, INDICATIONS, SHARED_DECISION
from pathway.ports import Resource
from service.bootstrap import Services
from tests.pathway.conftest import coded, yes
from tests.service.conftest import arrive, condition, patient

BASE = "http://north"
APPLY = "/PlanDefinition/calcinosis-excision-pathway/$apply"
Call = Callable[..., httpx.Response]


@pytest.fixture
def call(services: Services, registered: str) -> Call:
    """Asks our own base of the hospital."""
    app = fhir_app(services.door(registered, BASE))

    def call(method: str, path: str, **options: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as client:
                return await client.request(method, path, **options)

        return anyio.run(asked)

    return call


@pytest.fixture
def bundle(services: Services, registered: str, call: Call) -> Resource:
    """What the plan comes to for a patient who decided for surgery."""
    arrive(
        services,
        registered,
        patient(),
        condition(),
        answers("indications", INDICATIONS, {"linkId": "indications", "item": [yes("ind-severe-pain")]}),
        answers("decision", SHARED_DECISION, coded("dec-record-outcome", DECISION, "surgery")),
    )
    answer = call("GET", f"{APPLY}?subject=Patient/p1&bundle=true")
    assert answer.status_code == 200, answer.text
    found: Resource = answer.json()
    return found


def answers(id: str, form: str, item: Resource) -> Resource:
    named = {"resourceType": "QuestionnaireResponse", "id": id, "questionnaire": f"{form}|0.1.0", "status": "completed"}
    said = {"subject": {"reference": "Patient/p1"}, "author": {"reference": "Practitioner/surgeon"}}
    return {**named, **said, "authored": "2026-03-02T10:00:00+01:00", "item": [item]}


def locations(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    found = [str(entry["response"]["location"]).partition("/_history")[0] for entry in answer.json()["entry"]]
    return [location.removeprefix(f"{BASE}/") for location in found]


def statuses(answer: httpx.Response) -> set[str]:
    return {entry["response"]["status"].split()[0] for entry in answer.json()["entry"]}


def test_everything_in_it_is_stored_and_refers_to_each_other(call: Call, bundle: Resource) -> None:
    kinds = Counter(entry["resource"]["resourceType"] for entry in bundle["entry"])
    assert kinds["CarePlan"] == kinds["RequestGroup"] == 1
    assert kinds["Task"] > 3
    answer = call("POST", "/", json=bundle)
    assert statuses(answer) == {"201"}
    stored = {where: call("GET", where) for where in (f"/{reference}" for reference in locations(answer))}
    assert Counter(one.json()["resourceType"] for one in stored.values()) == kinds
    assert not any("urn:uuid" in one.text for one in stored.values())
    group = next(where for where in stored if where.startswith("/RequestGroup/"))
    care_plan = next(one.json() for where, one in stored.items() if where.startswith("/CarePlan/"))
    assert care_plan["activity"] == [{"reference": {"reference": group.removeprefix("/")}}]


def test_the_request_group_is_found_as_any_other_type(call: Call, bundle: Resource) -> None:
    [stored] = [one for one in locations(call("POST", "/", json=bundle)) if one.startswith("RequestGroup/")]
    key = f"identifier={codes.KEY_SYSTEM}|"
    for query in ("subject=Patient/p1", "patient=p1", "status=draft&intent=proposal", key):
        found = call("GET", f"/RequestGroup?{query}").json()
        assert [f"RequestGroup/{entry['resource']['id']}" for entry in found["entry"]] == [stored], query
    [served] = [r for r in call("GET", "/metadata").json()["rest"][0]["resource"] if r["type"] == "RequestGroup"]
    assert {"patient", "instantiates-canonical", "group-identifier"} <= {p["name"] for p in served["searchParam"]}


def test_a_request_group_that_breaks_a_rule_is_refused(call: Call) -> None:
    one = {"resource": {"reference": "Task/1"}}
    broken = {"resourceType": "RequestGroup", "status": "draft", "intent": "proposal", "subject": {"display": "A"}}
    refused = call("POST", "/RequestGroup", json=broken | {"action": [{**one, "action": [one]}]})
    assert refused.status_code == 422
    assert "rqg-1" in refused.text


def test_posted_again_it_changes_nothing(call: Call, bundle: Resource) -> None:
    first = call("POST", "/", json=bundle)
    again = call("POST", "/", json=bundle)
    assert statuses(again) == {"200"}
    assert sorted(locations(again)) == sorted(locations(first))
    for kind in ("RequestGroup", "CarePlan", "Task"):
        before = [one for one in locations(first) if one.startswith(f"{kind}/")]
        assert all(call("GET", f"/{one}").json()["meta"]["versionId"] == "1" for one in before)


def test_applied_again_it_makes_nothing_new(call: Call, bundle: Resource) -> None:
    first = locations(call("POST", "/", json=bundle))
    next_time = call("POST", "/", json=call("GET", f"{APPLY}?subject=Patient/p1&bundle=true").json())
    assert statuses(next_time) == {"200"}
    assert set(locations(next_time)) <= set(first)

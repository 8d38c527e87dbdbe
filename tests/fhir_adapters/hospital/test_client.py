"""The client believes a server only what it can check, and turns every status into one of our errors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from fhir_adapters.hospital.client import HospitalClient
from pathway.codes import KEY_SYSTEM
from pathway.errors import (
    Conflict,
    Forbidden,
    Gone,
    HospitalError,
    MultipleMatches,
    NotFound,
    NotLetIn,
    PathwayError,
    Rejected,
    TooBusy,
    Unreachable,
)
from pathway.ports import Create, Delete, Key, Resource, Update, search_all
from tests.fhir_adapters.hospital.conftest import PATIENT, Theirs, authored, create, task
from tests.fhir_adapters.hospital.proxy import (
    Proxy,
    altered,
    answers,
    cut,
    cut_after,
    everything,
    next_page,
    without_body,
)

KEY = Key(KEY_SYSTEM, "task")
BASE = "http://127.0.0.1:9/fhir"
PLAIN = {"resourceType": "Task", "status": "requested", "intent": "order", "for": {"reference": "Patient/p1"}}


def scripted(answer: Callable[[httpx.Request], httpx.Response]) -> HospitalClient:
    """A client of a server that is only this function; its CapabilityStatement says nothing."""

    def served(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/metadata"):
            return httpx.Response(200, json={"resourceType": "CapabilityStatement"})
        return answer(request)

    return HospitalClient(BASE, httpx.Client(transport=httpx.MockTransport(served)))


def bundle(*resources: Resource, **more: Any) -> Resource:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": r} for r in resources], **more}


# Searching


def test_search_follows_the_next_page_on_the_same_server(client: HospitalClient, our_server: Theirs) -> None:
    ids = {create(our_server.data, PLAIN)["id"] for _ in range(5)}
    pages = [client.search("Task", [("_count", "2")])]
    while pages[-1].next is not None:
        pages.append(client.search("Task", page=pages[-1].next))
    assert [len(page.resources) for page in pages] == [2, 2, 1]
    assert {r["id"] for page in pages for r in page.resources} == ids


@pytest.mark.parametrize(
    "elsewhere",
    ["http://127.0.0.1:1/fhir?page=2", "https://{host}/fhir?page=2", "http://evil.example/fhir?page=2", "//x/fhir?p=2"],
)
def test_search_does_not_follow_a_next_page_to_another_server(
    client: HospitalClient, proxy: Proxy, elsewhere: str
) -> None:
    proxy.once("GET", "Patient", next_page(elsewhere.format(host=proxy.base.split("/")[2])))
    first = client.search("Patient")
    with pytest.raises(Forbidden, match="on another server"):
        client.search("Patient", page=first.next)
    assert proxy.asked("GET") == ["GET Patient"]


def test_hits_are_compared_with_the_identifier_asked_for(
    client: HospitalClient, proxy: Proxy, our_server: Theirs
) -> None:
    create(our_server.data, PLAIN)
    create(our_server.data, PLAIN | {"identifier": [{"system": "https://elsewhere.example", "value": "task"}]})
    ours = create(our_server.data, PLAIN | {"identifier": [KEY.identifier()]})
    proxy.always("GET", "Task", everything)
    found = client.find("Task", KEY)
    assert found is not None
    assert found["id"] == ours["id"]
    assert client.find("Task", Key(KEY_SYSTEM, "another")) is None


def test_hits_are_compared_with_the_patient_asked_for(client: HospitalClient, proxy: Proxy, our_server: Theirs) -> None:
    our_server.holds(PATIENT | {"id": "p2"})
    ours = create(our_server.data, PLAIN)
    create(our_server.data, PLAIN | {"for": {"reference": "Patient/p2"}})
    absolute = create(our_server.data, PLAIN | {"for": {"reference": f"{our_server.base}/Patient/p1"}})
    proxy.always("GET", "Task", everything)
    for patient in ("Patient/p1", "p1"):
        assert {r["id"] for r in client.search("Task", [("patient", patient)]).resources} == {
            ours["id"],
            absolute["id"],
        }
    proxy.always("GET", "Patient", everything)
    assert [r["id"] for r in client.search("Patient", [("_id", "p2")]).resources] == ["p2"]


def test_hits_of_another_type_and_outcomes_are_left_out() -> None:
    entries = bundle(PLAIN | {"id": "1"}, PATIENT)
    entries["entry"].append({"resource": {"resourceType": "Task", "id": "2"}, "search": {"mode": "include"}})
    entries["entry"].append({"resource": {"resourceType": "OperationOutcome"}, "search": {"mode": "outcome"}})
    page = scripted(lambda _: httpx.Response(200, json=entries)).search("Task")
    assert [r["id"] for r in page.resources] == ["1"]


def test_every_search_asks_for_strict_and_uncached_results(client: HospitalClient, proxy: Proxy) -> None:
    client.search("Task", [("identifier", KEY.token())])
    [request] = proxy.requests
    assert request.headers["prefer"] == "handling=strict"
    assert request.headers["cache-control"] == "no-cache"
    assert request.query.startswith("identifier=https%3A%2F%2F")


def test_two_resources_with_one_key_are_named(client: HospitalClient, our_server: Theirs) -> None:
    elsewhere = Key("https://elsewhere.example", "twice")
    ids = [create(our_server.data, PLAIN | {"identifier": [elsewhere.identifier()]})["id"] for _ in range(2)]
    with pytest.raises(MultipleMatches) as error:
        client.find("Task", elsewhere)
    assert all(id in str(error.value) for id in ids)


def test_changes_are_asked_for_by_the_servers_clock(client: HospitalClient, proxy: Proxy) -> None:
    proxy.once("GET", "Task", altered(lambda _: None, date="Mon, 02 Mar 2026 09:00:00 GMT"))
    feed = client.changed_since("Task", datetime.fromisoformat("2026-03-02T10:30:00.5+02:00"))
    assert feed.as_of == datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    assert "_lastUpdated=ge2026-03-02T08%3A30%3A00.500%2B00%3A00" in proxy.requests[0].query


def test_a_server_without_a_clock_is_not_read_by_time() -> None:
    client = scripted(lambda _: httpx.Response(200, json=bundle()))
    with pytest.raises(HospitalError, match="no Date header"):
        client.changed_since("Task", None)


# Writing


@pytest.mark.parametrize(
    "location",
    [
        f"{BASE}/Task/900/_history/3",
        f"{BASE}/Task/900",
        "Task/900/_history/3",
        "/fhir/Task/900/_history/3",
        "Task/900",
    ],
)
def test_a_created_resource_is_read_at_its_location(location: str) -> None:
    there = PLAIN | {"id": "900", "meta": {"versionId": "3"}}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(201, headers={"Location": location})
        assert request.url.path == "/fhir/Task/900"
        return httpx.Response(200, json=there)

    written = scripted(answer).transact([Create(PLAIN)])[0]
    assert (written.created, written.resource) == (True, there)


def test_a_created_resource_without_location_is_found_by_its_key() -> None:
    there = PLAIN | {"id": "900", "identifier": [KEY.identifier()]}
    seen: list[Resource] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            seen.append(there)
            return httpx.Response(201)
        return httpx.Response(200, json=bundle(*seen))

    assert scripted(answer).transact([Create(PLAIN, KEY)])[0].resource == there


def test_a_created_resource_that_cannot_be_found_is_an_error() -> None:
    client = scripted(lambda _: httpx.Response(201))
    with pytest.raises(NotFound, match="does not say where"):
        client.transact([Create(PLAIN)])


@pytest.mark.parametrize("tag", ['W/"7"', '"7"', "7"])
def test_a_version_that_only_the_etag_says_is_kept(tag: str) -> None:
    client = scripted(lambda _: httpx.Response(200, json=PLAIN | {"id": "900"}, headers={"ETag": tag}))
    assert client.read("Task", "900")["meta"] == {"versionId": "7"}
    assert client.transact([Update(PLAIN | {"id": "900"})])[0].resource["meta"]["versionId"] == "7"


def test_an_update_says_which_version_it_is_based_on(client: HospitalClient, proxy: Proxy, our_server: Theirs) -> None:
    first = create(our_server.data, PLAIN)
    second = client.transact([Update(first | {"status": "accepted"}, "1")])[0].resource
    assert second["meta"]["versionId"] == "2"
    assert proxy.requests[-1].headers["if-match"] == 'W/"1"'
    with pytest.raises(Conflict):
        client.transact([Update(first | {"status": "rejected"}, "1")])
    assert our_server.only("Task")["status"] == "accepted"


def test_a_create_is_conditional_and_leaves_the_id_to_the_server(
    client: HospitalClient, proxy: Proxy, our_server: Theirs
) -> None:
    ours = task()
    first, second = (client.transact([Create(ours, KEY)])[0] for _ in range(2))
    assert (first.created, second.created) == (True, False)
    assert our_server.only("Task")["id"] == first.resource["id"] == second.resource["id"] != ours["id"]
    post = proxy.requests[-1]
    assert post.headers["if-none-exist"] == urlencode({"identifier": KEY.token()})
    assert "id" not in post.resource


def test_an_answer_without_body_is_looked_up(client: HospitalClient, proxy: Proxy, our_server: Theirs) -> None:
    proxy.once("POST", "Task", without_body)
    written = client.transact([Create(task(), KEY)])[0]
    assert written.created
    assert written.resource == our_server.only("Task")


def test_a_type_that_is_read_only_is_not_even_tried(client: HospitalClient, proxy: Proxy) -> None:
    def read_only(statement: Resource) -> None:
        for each in statement["rest"][0]["resource"]:
            each["interaction"] = [{"code": "read"}, {"code": "search-type"}]

    proxy.once("GET", "metadata", altered(read_only))
    with pytest.raises(Forbidden, match="does not let us create Task"):
        client.transact([Create(task(), KEY)])
    with pytest.raises(Forbidden, match="does not let us update Task"):
        client.transact([Update(task())])
    assert proxy.asked("POST", "PUT") == []


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_transaction_answered_with_another_number_of_entries_is_refused(
    client: HospitalClient, proxy: Proxy, count: int
) -> None:
    entry = {"response": {"status": "201 Created", "location": "Task/1"}}
    proxy.once("POST", "", altered(lambda answer: answer.update(entry=[entry] * count)))
    with pytest.raises(HospitalError, match=f"2 changes were answered with {count} entries"):
        client.transact([Create(task("one"), Key(KEY_SYSTEM, "one")), Create(task("two"), Key(KEY_SYSTEM, "two"))])


def test_a_transaction_is_one_request(client: HospitalClient, proxy: Proxy, our_server: Theirs) -> None:
    plan, step = authored("CarePlan", "plan", status="active", intent="plan", subject=PLAIN["for"]), task("step")
    step["basedOn"] = [{"reference": f"urn:uuid:{plan['id']}"}]
    old = create(our_server.data, PLAIN)
    changes = [Create(plan, Key(KEY_SYSTEM, "plan")), Create(step, Key(KEY_SYSTEM, "step")), Delete("Task", old["id"])]
    written = client.transact(changes)
    assert [(one.created, one.deleted) for one in written] == [(True, False), (True, False), (False, True)]
    assert our_server.only("Task")["basedOn"] == [{"reference": written[0].reference}]
    assert proxy.asked("POST", "PUT", "DELETE") == ["POST "]


def test_a_server_without_transactions_gets_one_change_after_the_other(client: HospitalClient, proxy: Proxy) -> None:
    proxy.once("GET", "metadata", altered(lambda statement: statement["rest"][0].pop("interaction")))
    written = client.transact([Create(task("one")), Create(task("two"))])
    assert [one.created for one in written] == [True, True]
    assert proxy.asked("POST") == ["POST Task", "POST Task"]


# Errors


STALE = {"If-Match": 'W/"1"'}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (301, Rejected),
        (400, Rejected),
        (401, NotLetIn),
        (403, Forbidden),
        (404, NotFound),
        (405, Rejected),
        (408, TooBusy),
        (409, Conflict),
        (410, Gone),
        (412, Conflict),
        (422, Rejected),
        (423, TooBusy),
        (424, Rejected),
        (429, TooBusy),
        (500, HospitalError),
        (501, HospitalError),
        (502, TooBusy),
        (503, TooBusy),
        (504, TooBusy),
    ],
)
def test_a_status_becomes_an_error_that_repeats_what_the_server_said(
    client: HospitalClient, proxy: Proxy, status: int, expected: type[PathwayError]
) -> None:
    proxy.once("PUT", "Task", answers(status, "the patient is locked"))
    with pytest.raises(PathwayError) as error:
        client.transact([Update(PLAIN | {"id": "1"}, "1")])
    assert type(error.value) is expected
    assert str(error.value) == f"PUT /Task/1 was answered with {status}: the patient is locked"


def test_412_to_a_create_says_that_several_resources_fit(client: HospitalClient, proxy: Proxy) -> None:
    proxy.once("POST", "Task", answers(412))
    with pytest.raises(MultipleMatches):
        client.transact([Create(task(), KEY)])


def test_412_to_a_transaction_with_a_version_is_a_conflict(client: HospitalClient, proxy: Proxy) -> None:
    creates = [Create(task("one"), Key(KEY_SYSTEM, "one")), Create(task("two"), Key(KEY_SYSTEM, "two"))]
    proxy.once("POST", "", answers(412), times=2)
    with pytest.raises(MultipleMatches):
        client.transact(creates)
    with pytest.raises(Conflict):
        client.transact([*creates, Update(task("three"), "1")])


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "120"}, 120.0),
        ({"retry_after": "Mon, 02 Mar 2026 09:02:00 GMT", "date": "Mon, 02 Mar 2026 09:00:00 GMT"}, 120.0),
        ({"retry_after": "Mon, 02 Mar 2026 08:00:00 GMT", "date": "Mon, 02 Mar 2026 09:00:00 GMT"}, 0.0),
        ({"retry_after": "soon"}, None),
        ({}, None),
    ],
)
def test_a_busy_server_says_when_to_come_back(
    client: HospitalClient, proxy: Proxy, headers: dict[str, str], seconds: float | None
) -> None:
    proxy.once("GET", "Task", answers(429, **headers))
    with pytest.raises(TooBusy) as error:
        client.read("Task", "1")
    assert error.value.retry_after == seconds


@pytest.mark.parametrize("fault", [cut, cut_after])
def test_a_connection_that_broke_leaves_it_open_what_happened(client: HospitalClient, proxy: Proxy, fault: Any) -> None:
    proxy.once("POST", "Task", fault)
    with pytest.raises(Unreachable, match=r"POST /Task got no answer"):
        client.transact([Create(task(), KEY)])


def test_a_server_that_is_down_is_unreachable(client: HospitalClient, proxy: Proxy) -> None:
    proxy.down()
    with pytest.raises(Unreachable, match="ConnectError"):
        list(search_all(client, "Task"))
    proxy.up()
    assert list(search_all(client, "Task")) == []


def test_a_page_that_is_not_fhir_is_an_error_of_the_hospital() -> None:
    client = scripted(lambda _: httpx.Response(200, html="<html>Please log in</html>"))
    with pytest.raises(HospitalError, match=r"GET /Task/1 was not answered with FHIR JSON"):
        client.read("Task", "1")

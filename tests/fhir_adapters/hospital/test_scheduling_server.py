"""$find and $book of the server that stands for a hospital (IHE ITI Scheduling), over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from fhir_adapters.hospital.client import HospitalClient
from fhir_adapters.r4 import admission
from pathway.errors import Rejected
from pathway.ports import Delete, Resource
from tests.fhir_adapters.hospital.conftest import PATIENT, Theirs
from tests.fhir_adapters.hospital.test_booking import SCHEDULE, SURGEON, slot

START, END = "2026-03-27T00:00:00+01:00", "2026-03-28T00:00:00+01:00"
Ask = Callable[..., httpx.Response]


@pytest.fixture(autouse=True)
def _holds(our_server: Theirs) -> None:
    our_server.holds({"resourceType": "Practitioner", "id": "surgeon"}, SCHEDULE)
    our_server.holds(slot("late", "2026-03-27T09:00:00Z"), slot("early", "2026-03-27T08:00:00+01:00"))
    our_server.holds(slot("taken", "2026-03-27T10:00:00Z", status="busy"), slot("next", "2026-03-27T23:00:00Z"))


@pytest.fixture
def ask(our_server: Theirs, http: httpx.Client) -> Ask:
    def ask(operation: str, *parameters: Resource) -> httpx.Response:
        body = {"resourceType": "Parameters", "parameter": list(parameters)}
        url = f"{our_server.base}/Appointment/${operation}"
        return http.post(url, json=body, headers={"content-type": "application/fhir+json"})

    return ask


def period(start: str = START, end: str = END) -> list[Resource]:
    return [{"name": "start", "valueDateTime": start}, {"name": "end", "valueDateTime": end}]


def reference(name: str, to: str) -> Resource:
    return {"name": name, "valueReference": {"reference": to}}


def offered(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [entry["resource"]["id"] for entry in answer.json().get("entry", [])]


def take(id: str, *more: Resource) -> list[Resource]:
    who = {"name": "patient-resource", "resource": PATIENT}
    return [reference("appointment-reference", f"Appointment/offer-{id}"), who, *more]


def test_the_capability_statement_lists_both(our_server: Theirs, http: httpx.Client) -> None:
    rest = http.get(f"{our_server.base}/metadata").json()["rest"][0]
    [appointment] = [each for each in rest["resource"] if each["type"] == "Appointment"]
    listed = {each["name"]: each["definition"] for each in appointment["operation"]}
    base = "https://profiles.ihe.net/ITI/Scheduling/OperationDefinition"
    assert listed["find"] == f"{base}/appointment-find"
    assert listed["book"] == f"{base}/appointment-book"


def test_free_slots_of_the_period_are_offered_in_order(ask: Ask, our_server: Theirs) -> None:
    answer = ask("find", *period(), reference("patient-reference", "Patient/p1"))
    assert offered(answer) == ["offer-early", "offer-late"]
    bundle = answer.json()
    assert (bundle["type"], bundle["total"], admission.check(bundle)) == ("searchset", 2, [])
    first = bundle["entry"][0]["resource"]
    assert (first["status"], first["slot"]) == ("proposed", [{"reference": "Slot/early"}])
    assert [p["actor"] for p in first["participant"]] == [SURGEON, {"reference": "Patient/p1"}]
    assert our_server.all("Appointment") == []


@pytest.mark.parametrize(
    ("parameter", "count"),
    [
        (reference("practitioner", "Practitioner/surgeon"), 2),
        (reference("practitioner", "Practitioner/other"), 0),
        (reference("location-reference", "Location/annex"), 0),
        ({"name": "visit-type", "valueString": "http://snomed.info/sct|439740005"}, 2),
        ({"name": "visit-type", "valueString": "http://snomed.info/sct|1"}, 0),
        ({"name": "specialty", "valueString": "http://snomed.info/sct|1"}, 2),
    ],
)
def test_only_what_was_asked_for_is_offered(ask: Ask, parameter: Resource, count: int) -> None:
    assert len(offered(ask("find", *period(), parameter))) == count


@pytest.mark.parametrize("sent", [[], period()[:1], [*period(), {"name": "unknown", "valueString": "x"}]])
def test_what_cannot_be_asked_is_refused(ask: Ask, sent: list[Resource]) -> None:
    answer = ask("find", *sent)
    assert (answer.status_code, answer.json()["resourceType"]) == (400, "OperationOutcome")


def test_a_booking_takes_the_slot(ask: Ask, our_server: Theirs) -> None:
    answer = ask("book", *take("early", {"name": "comment", "valueString": "By the ramp"}))
    [entry] = answer.json()["entry"]
    booked = our_server.only("Appointment")
    assert entry["resource"] == booked
    assert (booked["status"], booked["comment"], admission.check(booked)) == ("booked", "By the ramp", [])
    assert {"actor": {"reference": "Patient/p1"}, "required": "required", "status": "accepted"} in booked["participant"]
    assert our_server.data.read("Slot", "early")["status"] == "busy"
    assert offered(ask("find", *period())) == ["offer-late"]


def test_a_slot_is_booked_once(ask: Ask, our_server: Theirs) -> None:
    with ThreadPoolExecutor(4) as people:
        answers = [people.submit(ask, "book", *take("early")) for _ in range(4)]
        assert sorted(each.result().status_code for each in answers) == [200, 409, 409, 409]
    assert our_server.only("Appointment")["slot"] == [{"reference": "Slot/early"}]
    said = ask("book", *take("early")).json()
    assert (said["resourceType"], said["issue"][0]["diagnostics"]) == (
        "OperationOutcome",
        "Slot/early is not free any more",
    )


def test_an_appointment_that_is_sent_whole(ask: Ask, our_server: Theirs) -> None:
    pending: dict[str, Any] = {
        "resourceType": "Appointment",
        "status": "pending",
        "slot": [{"reference": "Slot/late"}],
        "start": "2026-03-27T09:00:00Z",
        "end": "2026-03-27T09:30:00Z",
        "participant": [{"actor": {"reference": "Patient/p1"}, "status": "accepted"}],
    }
    assert ask("book", {"name": "appointment-resource", "resource": pending}).status_code == 200
    assert our_server.only("Appointment")["start"] == "2026-03-27T09:00:00Z"


def test_what_cannot_be_booked_takes_nothing(ask: Ask, our_server: Theirs) -> None:
    our_server.data.transact([Delete("Slot", "late")])
    stranger = {"name": "patient-resource", "resource": {**PATIENT, "id": "nobody"}}
    early = take("early")
    assert ask("book", *take("late")).status_code == 409
    assert ask("book", *take("never")).status_code == 404
    assert ask("book", early[0]).status_code == 422
    assert ask("book", early[0], stranger).status_code == 404
    assert ask("book", early[1]).status_code == 422
    assert (our_server.all("Appointment"), our_server.data.read("Slot", "early")["status"]) == ([], "free")


def test_the_client_reads_both(our_server: Theirs, http: httpx.Client) -> None:
    client = HospitalClient(our_server.base, http)
    assert client.plan.of("Appointment").book
    bundle = client.operate("Appointment", "find", {"resourceType": "Parameters", "parameter": period()})
    assert len(bundle["entry"]) == 2
    with pytest.raises(Rejected, match="The parameter start is of type dateTime"):
        client.operate("Appointment", "find", {"resourceType": "Parameters"})

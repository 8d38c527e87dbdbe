"""Reading a hospital again and again: nothing is missed, and nothing is told twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from fhir_adapters.hospital import client as client_module
from fhir_adapters.hospital.feed import TYPES, Inflow
from pathway.errors import Forbidden, HospitalError, NotFound, Unreachable
from pathway.ports import Resource, Transaction
from pathway.references import patient_of
from tests.fhir_adapters.hospital.conftest import HERE, PATIENT, Ours, Theirs, care_plan, task
from tests.fhir_adapters.hospital.proxy import (
    Fault,
    Proxy,
    altered,
    answers,
    cut,
    everything,
    next_page,
    offering,
    passes,
)

NO_TIME = {"searchParam": [{"name": "patient", "type": "reference"}, {"name": "_id", "type": "token"}]}


def order(id: str, patient: str = "p1", **elements: Any) -> Resource:
    same = {"status": "active", "intent": "order", "subject": {"reference": f"Patient/{patient}"}}
    return {"resourceType": "ServiceRequest", "id": id, **same, **elements}


def condition(id: str, patient: str = "p1") -> Resource:
    return {"resourceType": "Condition", "id": id, "subject": {"reference": f"Patient/{patient}"}}


def answered(id: str, patient: str = "p1") -> Resource:
    subject = {"reference": f"Patient/{patient}"}
    return {"resourceType": "QuestionnaireResponse", "id": id, "status": "completed", "subject": subject}


def at(moment: datetime, *hidden: str) -> Fault:
    """A server whose clock says `moment`, and to whose readers some resources are not visible yet."""

    def hide(bundle: Resource) -> None:
        bundle["entry"] = [entry for entry in bundle.get("entry", []) if entry["resource"]["id"] not in hidden]

    return altered(hide, date=format_datetime(moment, usegmt=True))


def updated(resource: Resource) -> datetime:
    return datetime.fromisoformat(resource["meta"]["lastUpdated"])


def cursor(ours: Ours, type: str = "ServiceRequest") -> datetime | None:
    return ours.store.cursor(HERE, type)


def kept(ours: Ours, type: str) -> set[str]:
    return {resource["id"] for resource in ours.store.repository(HERE).search(type).resources}


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_PAGE", 2)


# The cursor


def test_all_that_is_there_is_taken_in_once(ours: Ours, our_server: Theirs) -> None:
    our_server.holds(order("r1"), condition("c1"))
    assert [ours.inflow.run() for _ in range(3)] == [2, 0, 0]
    assert ours.reacted == ["ServiceRequest/r1", "Condition/c1"]


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "CareTeam", "id": "t1", "status": "active"},
        {"resourceType": "Goal", "id": "g1", "lifecycleStatus": "active", "description": {"text": "Walk"}},
        {"resourceType": "RiskAssessment", "id": "ra1", "status": "final"},
    ],
)
def test_who_cares_for_a_patient_and_what_for_is_taken_in(ours: Ours, our_server: Theirs, resource: Resource) -> None:
    our_server.holds({**resource, "subject": {"reference": "Patient/p1"}})
    assert [ours.inflow.run() for _ in range(2)] == [1, 0]
    assert ours.reacted == [f"{resource['resourceType']}/{resource['id']}"]


def test_the_cursor_is_the_servers_clock_and_is_read_from_with_an_overlap(ours: Ours, proxy: Proxy) -> None:
    moment = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    proxy.once("GET", "ServiceRequest", at(moment))
    ours.inflow.run()
    assert cursor(ours) == moment
    ours.inflow.run()
    first, second = (request.query for request in proxy.requests if request.type == "ServiceRequest")
    assert "_lastUpdated=" not in first
    assert "_lastUpdated=ge2026-03-02T08%3A50%3A00.000%2B00%3A00" in second
    assert "_sort=_lastUpdated" in second


def test_the_cursor_never_goes_back(ours: Ours, proxy: Proxy) -> None:
    moment = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    proxy.once("GET", "ServiceRequest", at(moment))
    proxy.once("GET", "ServiceRequest", at(moment - timedelta(hours=1)))
    ours.inflow.run()
    ours.inflow.run()
    assert cursor(ours) == moment


@pytest.mark.usefixtures("small_pages")
def test_all_pages_are_read(ours: Ours, proxy: Proxy, our_server: Theirs) -> None:
    our_server.holds(*(order(f"r{number}") for number in range(5)))
    assert ours.inflow.run() == 5
    assert kept(ours, "ServiceRequest") == {"r0", "r1", "r2", "r3", "r4"}
    assert proxy.asked("GET").count("GET ServiceRequest") == 3


@pytest.mark.usefixtures("small_pages")
def test_the_cursor_moves_only_when_all_pages_were_stored(ours: Ours, proxy: Proxy, our_server: Theirs) -> None:
    our_server.holds(*(order(f"r{number}") for number in range(5)))
    proxy.once("GET", "ServiceRequest", passes)
    proxy.once("GET", "ServiceRequest", answers(500, "out of memory"))
    with pytest.raises(HospitalError, match="out of memory"):
        ours.inflow.run()
    assert (len(kept(ours, "ServiceRequest")), cursor(ours)) == (2, None)
    assert ours.inflow.run() == 3
    assert cursor(ours) is not None
    assert sorted(ours.reacted) == [f"ServiceRequest/r{number}" for number in range(5)]


def test_a_page_on_another_server_moves_no_cursor(ours: Ours, proxy: Proxy) -> None:
    proxy.once("GET", "ServiceRequest", next_page("http://evil.example/fhir/ServiceRequest?page=2"))
    with pytest.raises(Forbidden):
        ours.inflow.run()
    assert cursor(ours) is None


@pytest.mark.parametrize("page", [1, 200])
def test_siblings_of_the_same_millisecond_are_all_found(
    ours: Ours, our_server: Theirs, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(client_module, "_PAGE", page)
    our_server.holds(order("r1"), order("r2"), order("r3"))
    [moment] = {updated(resource) for resource in our_server.all("ServiceRequest")}
    ours.store.save_cursor(HERE, "ServiceRequest", moment)
    assert Inflow(ours.store, HERE, ours.client, ours.inbound, overlap=timedelta()).run() == 3
    assert kept(ours, "ServiceRequest") == {"r1", "r2", "r3"}


@pytest.mark.parametrize(("behind", "found"), [(timedelta(minutes=9), True), (timedelta(minutes=11), False)])
def test_a_commit_that_becomes_visible_late_is_found_within_the_overlap(
    ours: Ours, proxy: Proxy, our_server: Theirs, behind: timedelta, found: bool
) -> None:
    our_server.holds(order("r1"), order("late"))
    moment = max(updated(resource) for resource in our_server.all("ServiceRequest")) + behind
    proxy.once("GET", "ServiceRequest", at(moment, "late"))
    ours.inflow.run()
    assert kept(ours, "ServiceRequest") == {"r1"}
    ours.inflow.run()
    assert ("late" in kept(ours, "ServiceRequest")) is found
    assert ours.reacted.count("ServiceRequest/r1") == 1


def test_a_change_is_news_and_the_same_again_is_not(ours: Ours, our_server: Theirs) -> None:
    our_server.holds(order("r1"))
    ours.inflow.run()
    our_server.changes("ServiceRequest/r1", status="completed")
    assert [ours.inflow.run() for _ in range(2)] == [1, 0]
    assert ours.reacted == ["ServiceRequest/r1"] * 2
    assert ours.read(order("r1"))["status"] == "completed"


def test_the_hospitals_change_of_ours_arrives_and_our_echo_does_not(ours: Ours, our_server: Theirs) -> None:
    first = task()
    ours.writes(first)
    ours.push()
    assert ours.inflow.run() == 0
    our_server.changes(f"Task/{ours.link(first).their_id}", status="accepted")
    assert ours.inflow.run() == 1
    assert ours.read(first)["status"] == "accepted"
    assert ours.reacted == [f"Task/{first['id']}"]


# Faults


def test_a_pass_that_broke_off_is_completed_by_the_next(ours: Ours, proxy: Proxy, our_server: Theirs) -> None:
    our_server.holds(order("r1"), condition("c1"), answered("q1"))
    proxy.once("GET", "Condition", cut)
    with pytest.raises(Unreachable):
        ours.inflow.run()
    assert ours.reacted == ["ServiceRequest/r1"]
    assert cursor(ours) is not None
    assert cursor(ours, "Condition") is None
    assert ours.inflow.run() == 2
    assert ours.reacted == ["ServiceRequest/r1", "Condition/c1", "QuestionnaireResponse/q1"]


def test_what_was_written_while_the_hospital_could_not_be_reached_is_found(
    ours: Ours, proxy: Proxy, our_server: Theirs
) -> None:
    our_server.holds(order("r1"))
    ours.inflow.run()
    before = cursor(ours)
    proxy.down()
    our_server.holds(order("r2"))
    for _ in range(2):
        with pytest.raises(Unreachable):
            ours.inflow.run()
    assert cursor(ours) == before
    proxy.up()
    assert ours.inflow.run() == 1
    assert kept(ours, "ServiceRequest") == {"r1", "r2"}


def without_task(statement: Resource) -> None:
    rest = statement["rest"][0]
    rest["resource"] = [each for each in rest["resource"] if each["type"] != "Task"]


@pytest.mark.parametrize("status", [404, 400])
def test_a_type_that_the_server_does_not_have_holds_up_no_other(
    ours: Ours, proxy: Proxy, our_server: Theirs, status: int
) -> None:
    our_server.holds(PATIENT | {"id": "p2"}, order("r2", "p2"))
    proxy.once("GET", "metadata", altered(without_task))
    proxy.always("GET", "Task", answers(status, "unknown resource type"))
    ours.inflow.run()
    assert ours.reacted[:2] == ["Patient/p2", "ServiceRequest/r2"]
    assert {f"GET {type}" for type in TYPES} <= set(proxy.asked("GET"))
    assert cursor(ours, "Task") is None
    assert cursor(ours, "Flag") is not None


def test_a_type_that_is_not_listed_is_read_where_it_is_there(ours: Ours, proxy: Proxy, our_server: Theirs) -> None:
    our_server.holds({"resourceType": "Task", "id": "t1", "status": "requested", "intent": "order"})
    proxy.once("GET", "metadata", altered(without_task))
    assert ours.inflow.run() == 1
    assert ours.reacted == ["Task/t1"]


def test_a_listed_type_that_is_refused_is_told(ours: Ours, proxy: Proxy) -> None:
    proxy.once("GET", "Task", answers(404, "moved"))
    with pytest.raises(NotFound, match="moved"):
        ours.inflow.run()


# Newcomers


def test_the_patient_and_the_conditions_come_before_the_referral(ours: Ours, our_server: Theirs) -> None:
    ours.minded = lambda resource: resource["resourceType"] == "ServiceRequest"
    our_server.holds(PATIENT | {"id": "p2"}, condition("c2", "p2"), condition("c1"), order("r2", "p2"))
    ours.inflow.run()
    assert ours.reacted == ["Patient/p2", "Condition/c2", "ServiceRequest/r2"]
    assert kept(ours, "Condition") == {"c2"}


def test_what_a_newcomer_had_before_is_caught_up(ours: Ours, our_server: Theirs, proxy: Proxy) -> None:
    ours.minded = lambda resource: resource["resourceType"] == "ServiceRequest"
    our_server.holds(PATIENT | {"id": "p2"}, answered("q2", "p2"), answered("q3", "p1"))
    later = datetime.now(UTC) + timedelta(hours=1)
    proxy.once("GET", "QuestionnaireResponse", at(later))
    ours.inflow.run()
    assert (ours.reacted, cursor(ours, "QuestionnaireResponse")) == ([], later.replace(microsecond=0))
    our_server.holds(order("r2", "p2"))
    ours.inflow.run()
    assert ours.reacted == ["Patient/p2", "ServiceRequest/r2", "QuestionnaireResponse/q2"]
    assert ours.inflow.run() == 0


def test_a_stranger_who_is_none_of_our_business_is_not_even_read(ours: Ours, our_server: Theirs, proxy: Proxy) -> None:
    ours.minded = lambda _: False
    our_server.holds(PATIENT | {"id": "p2"}, order("r2", "p2"))
    assert ours.inflow.run() == 0
    with pytest.raises(NotFound):
        ours.read(PATIENT | {"id": "p2"})
    assert proxy.asked("GET").count("GET Patient") == 1


def test_a_referral_is_kept_though_its_patient_is_not_shown(ours: Ours, our_server: Theirs, proxy: Proxy) -> None:
    our_server.holds(PATIENT | {"id": "p2"}, order("r2", "p2"))
    proxy.once("GET", "Patient", answers(404))
    ours.inflow.run()
    assert ours.reacted == ["ServiceRequest/r2", "Patient/p2"]


# Servers that cannot say what changed


def test_a_server_without_last_updated_is_swept_patient_by_patient(
    ours: Ours, our_server: Theirs, proxy: Proxy
) -> None:
    ours.writes(care_plan(), send=False)
    our_server.holds(PATIENT | {"id": "p2"}, order("r1"), order("r2", "p2"), condition("c1"), condition("c2", "p2"))
    our_server.changes("Patient/p1", gender="female")
    proxy.once("GET", "metadata", offering(every=NO_TIME))
    assert [ours.inflow.run() for _ in range(2)] == [3, 0]
    assert ours.reacted == ["ServiceRequest/r1", "Patient/p1", "Condition/c1"]
    assert [cursor(ours, type) for type in TYPES] == [None] * len(TYPES)
    asked = {request.type: request.query for request in proxy.requests}
    assert (asked["ServiceRequest"], asked["Patient"]) == ("patient=Patient%2Fp1", "_id=p1")
    our_server.changes("ServiceRequest/r1", status="completed")
    assert ours.inflow.run() == 1


def test_a_sweep_takes_nothing_of_patients_it_did_not_ask_for(ours: Ours, our_server: Theirs, proxy: Proxy) -> None:
    ours.writes(care_plan(), send=False)
    our_server.holds(PATIENT | {"id": "p2"}, condition("c1"), condition("c2", "p2"))
    proxy.once("GET", "metadata", offering(every=NO_TIME))
    for type in ("Condition", "Patient"):
        proxy.always("GET", type, everything)
    ours.inflow.run()
    assert kept(ours, "Condition") == {"c1"}
    assert kept(ours, "Patient") == {"p1"}


def test_one_type_is_swept_and_the_others_are_read_by_time(ours: Ours, our_server: Theirs, proxy: Proxy) -> None:
    ours.writes(care_plan(), send=False)
    our_server.holds(order("r1"), condition("c1"))
    proxy.once("GET", "metadata", offering(Condition=NO_TIME))
    ours.inflow.run()
    assert ours.reacted == ["ServiceRequest/r1", "Condition/c1"]
    assert cursor(ours) is not None
    assert cursor(ours, "Condition") is None


def test_a_record_that_took_the_place_of_a_patients_comes_with_all_that_is_known_under_it(
    ours: Ours, our_server: Theirs
) -> None:
    def is_known(tx: Transaction, resource: Resource) -> bool:
        return bool(tx.search("Patient", [("_id", str(patient_of(resource)).removeprefix("Patient/"))]).resources)

    inflow = replace(ours.inflow, inbound=replace(ours.inflow.inbound, concerns=is_known))
    our_server.holds({"resourceType": "Patient", "id": "p2"}, order("r2", "p2"))
    inflow.run()
    assert kept(ours, "ServiceRequest") == set()
    our_server.holds({**PATIENT, "link": [{"type": "replaced-by", "other": {"reference": "Patient/p2"}}]})
    inflow.run()
    assert kept(ours, "Patient") == {"p1", "p2"}
    assert kept(ours, "ServiceRequest") == {"r2"}
    our_server.holds(answered("q2", "p2"))
    inflow.run()
    assert kept(ours, "QuestionnaireResponse") == {"q2"}

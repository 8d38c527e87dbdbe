"""The hospital's own resources are kept as they came; its copies of ours are merged, each change once."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_adapters.hospital.client import HospitalClient
from fhir_adapters.r4.admission import parse, render
from pathway.ports import Quarantined, Resource, Transaction
from tests.fhir_adapters.hospital.conftest import HERE, Ours, Theirs, task
from tests.fhir_adapters.hospital.proxy import Proxy, cut_after, without_body

MESSY = b"""{"resourceType": "Observation", "id": "o1", "meta": {"versionId": "9"},
 "extension": [{"url": "https://elsewhere.example/unknown", "valueDecimal": 1.10}],
 "status": "final", "code": {"text": "size"}, "subject": {"reference": "Patient/p1"},
 "effectiveDateTime": "2026-03-01T10:30:00+05:45", "valueQuantity": {"value": 0.50, "unit": "cm"}}"""
ORDER = {
    "resourceType": "ServiceRequest",
    "id": "r1",
    "status": "active",
    "intent": "order",
    "subject": {"reference": "Patient/p1"},
}


def sent(ours: Ours, resource: Resource | None = None) -> Resource:
    """A Task of ours that the hospital has."""
    resource = resource or task()
    ours.writes(resource)
    assert ours.push() == 1
    return resource


def copy(theirs: Theirs, client: HospitalClient) -> Resource:
    """What the hospital shows us of it now."""
    return client.read("Task", theirs.only("Task")["id"])


# The hospital's own


def test_a_hospitals_resource_is_kept_as_it_came(ours: Ours) -> None:
    observation = parse(MESSY)
    assert ours.inbound.take_in(observation)
    kept = ours.read(observation)
    assert b'"valueDecimal":1.10' in render(kept)
    assert b'"value":0.50' in render(kept)
    assert {name: value for name, value in kept.items() if name != "meta"} == {
        name: value for name, value in observation.items() if name != "meta"
    }
    assert list(kept) == list(observation)
    assert ours.reacted == ["Observation/o1"]


def test_a_procedure_that_names_our_order_by_its_identifier_is_the_hospitals_own(ours: Ours) -> None:
    order = task()
    named = {"resourceType": "Procedure", "id": "p7", "status": "completed", "subject": {"reference": "Patient/p1"}}
    assert ours.inbound.take_in(named | {"identifier": order["identifier"]})
    assert ours.reacted == ["Procedure/p7"]


@pytest.mark.parametrize("broken", [{"status": ["completed"]}, {"subject": "Patient/p1"}, {"basedOn": [None]}])
def test_what_cannot_be_understood_is_put_aside_and_the_next_is_read(ours: Ours, broken: Resource) -> None:
    good = {"resourceType": "Procedure", "id": "p8", "status": "completed", "subject": {"reference": "Patient/p1"}}
    ours.inbound.take_in({**good, "id": "p7", **broken})
    assert ours.inbound.take_in(good)
    assert "Procedure/p8" in ours.reacted


def test_the_same_version_is_reacted_to_once(ours: Ours) -> None:
    order = ORDER | {"meta": {"versionId": "3"}}
    assert [ours.inbound.take_in(order) for _ in range(3)] == [True, False, False]
    assert ours.inbound.take_in(order | {"status": "completed", "meta": {"versionId": "4"}})
    assert ours.reacted == ["ServiceRequest/r1"] * 2
    assert ours.read(order)["status"] == "completed"


def test_a_new_version_with_the_same_content_is_no_news(ours: Ours) -> None:
    assert ours.inbound.take_in(ORDER | {"meta": {"versionId": "3"}})
    assert not ours.inbound.take_in(ORDER | {"meta": {"versionId": "4"}})
    assert ours.reacted == ["ServiceRequest/r1"]


def test_what_is_none_of_our_business_is_not_kept(ours: Ours) -> None:
    ours.minded = lambda _: False
    assert not ours.inbound.take_in(ORDER)
    with ours.store.transaction(HERE) as tx:
        assert list(tx.search("ServiceRequest").resources) == []
    assert (ours.reacted, ours.quarantine()) == ([], [])


def test_what_was_asked_for_is_kept_anyway(ours: Ours) -> None:
    ours.minded = lambda _: False
    assert ours.inbound.take_in(ORDER, asked_for=True)
    assert ours.read(ORDER)["status"] == "active"


def test_a_failing_reaction_stores_nothing(ours: Ours, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise RuntimeError("the pathway has a bug")

    monkeypatch.setattr(Ours, "_react", fails)
    with pytest.raises(RuntimeError):
        ours.inbound.take_in(ORDER)
    with ours.store.transaction(HERE) as tx:
        assert list(tx.search("ServiceRequest").resources) == []


# Copies of ours


def test_the_echo_of_our_own_write_is_no_news(ours: Ours, our_server: Theirs, client: HospitalClient) -> None:
    first = sent(ours)
    assert not ours.inbound.take_in(copy(our_server, client))
    ours.changes(first, priority="urgent")
    ours.push()
    assert not ours.inbound.take_in(copy(our_server, client))
    assert (ours.reacted, ours.read(first)["meta"]["versionId"]) == ([], "2")


def test_the_hospitals_change_of_our_task_is_taken_over(ours: Ours, our_server: Theirs, client: HospitalClient) -> None:
    first = sent(ours, task(description="Check the wound"))
    theirs = copy(our_server, client)
    our_server.changes(f"Task/{theirs['id']}", status="accepted", note=[{"text": "Tuesday"}], description=None)
    assert ours.inbound.take_in(copy(our_server, client))
    now = ours.read(first)
    assert (now["status"], now["note"], now["id"]) == ("accepted", [{"text": "Tuesday"}], first["id"])
    assert "description" not in now
    assert ours.reacted == [f"Task/{first['id']}"]
    assert not ours.inbound.take_in(copy(our_server, client))
    assert ours.push() == 0
    assert our_server.only("Task")["meta"]["versionId"] == "2"


def test_our_unsent_change_stays_and_is_sent(ours: Ours, our_server: Theirs, client: HospitalClient) -> None:
    first = sent(ours)
    ours.changes(first, priority="urgent")
    our_server.changes(f"Task/{ours.link(first).their_id}", status="accepted")
    ours.inbound.take_in(copy(our_server, client))
    now = ours.read(first)
    assert (now["status"], now["priority"]) == ("accepted", "urgent")
    assert "priority" not in our_server.only("Task")
    assert ours.push() == 1
    there = our_server.only("Task")
    assert (there["status"], there["priority"]) == ("accepted", "urgent")
    assert ours.quarantine() == []


def test_what_both_sides_changed_is_the_hospitals_and_told(
    ours: Ours, our_server: Theirs, client: HospitalClient
) -> None:
    first = sent(ours)
    ours.changes(first, status="cancelled")
    our_server.changes(f"Task/{ours.link(first).their_id}", status="completed")
    ours.inbound.take_in(copy(our_server, client))
    assert ours.read(first)["status"] == "completed"
    assert ours.quarantine() == [("changed-on-both-sides", f"Task/{first['id']}")]
    assert ours.why() == "Changed on both sides: status. The hospital's values were kept."
    ours.push()
    assert our_server.only("Task")["status"] == "completed"
    versions = [version["status"] for version in ours.store.repository(HERE).history("Task", first["id"])]
    assert versions == ["completed", "cancelled", "requested"]


def test_a_copy_read_before_our_last_write_changes_nothing(
    ours: Ours, our_server: Theirs, client: HospitalClient
) -> None:
    first = sent(ours)
    before = copy(our_server, client)
    ours.changes(first, status="cancelled")
    ours.push()
    assert not ours.inbound.take_in(before)
    assert ours.read(first)["status"] == "cancelled"
    assert not ours.inbound.take_in(copy(our_server, client))


def test_references_of_a_copy_become_ours(ours: Ours, our_server: Theirs, client: HospitalClient) -> None:
    part = sent(ours, task("part"))
    whole = sent(ours, task("whole", partOf=[{"reference": f"Task/{part['id']}"}]))
    there = f"Task/{ours.link(whole).their_id}"
    our_server.changes(there, focus={"reference": f"{our_server.base}/Patient/p1"}, status="accepted")
    ours.inbound.take_in(client.read(*there.split("/")))
    now = ours.read(whole)
    assert now["partOf"] == [{"reference": f"Task/{part['id']}"}]
    assert now["status"] == "accepted"


def test_a_copy_that_we_were_not_told_of_is_ours_by_its_key(
    ours: Ours, proxy: Proxy, our_server: Theirs, client: HospitalClient
) -> None:
    first = task()
    ours.writes(first)
    proxy.once("POST", "Task", cut_after)
    assert ours.push() == 0
    assert ours.inbound.take_in(copy(our_server, client))
    assert ours.link(first).their_id == our_server.only("Task")["id"]
    assert ours.link(first).sent_version == 1
    assert ours.read(first)["meta"]["versionId"] == "1"
    ours.push(rounds=3)
    assert (ours.state(first), our_server.only("Task")["meta"]["versionId"]) == ("done", "1")


def test_a_change_of_a_copy_that_we_were_not_told_of_is_not_lost(
    ours: Ours, proxy: Proxy, our_server: Theirs, client: HospitalClient
) -> None:
    first = task(priority="urgent")
    ours.writes(task(status="draft", priority="routine"), first)
    proxy.once("POST", "Task", cut_after)
    ours.push()
    our_server.changes(f"Task/{our_server.only('Task')['id']}", status="accepted")
    ours.inbound.take_in(copy(our_server, client))
    assert (ours.read(first)["status"], ours.read(first)["priority"]) == ("accepted", "urgent")
    ours.push(rounds=3)
    assert (our_server.only("Task")["status"], ours.quarantine()) == ("accepted", [])


def test_a_key_that_is_not_known_here_is_put_aside(ours: Ours) -> None:
    stranger = task("from-another-installation") | {"id": "900", "meta": {"versionId": "4"}}
    assert [ours.inbound.take_in(stranger) for _ in range(2)] == [False, False]
    assert ours.quarantine() == [("key-unknown", "Task/900")]
    assert ours.reacted == []


def test_a_second_copy_of_ours_is_put_aside(ours: Ours, our_server: Theirs, client: HospitalClient) -> None:
    first = sent(ours)
    twin = copy(our_server, client) | {"id": "twin", "status": "accepted"}
    assert not ours.inbound.take_in(twin)
    assert ours.quarantine() == [("key-unknown", "Task/twin")]
    assert ours.read(first)["status"] == "requested"


def test_an_answer_without_body_is_no_change_of_the_hospitals(
    ours: Ours, proxy: Proxy, our_server: Theirs, client: HospitalClient
) -> None:
    proxy.once("POST", "Task", without_body)
    sent(ours)
    assert not ours.inbound.take_in(copy(our_server, client))


def test_a_reaction_may_put_its_input_aside(ours: Ours, monkeypatch: pytest.MonkeyPatch) -> None:
    def react(_: Ours, tx: Transaction, resource: Resource) -> None:
        tx.quarantine(Quarantined("surgery-undated", "No date.", f"{resource['resourceType']}/{resource['id']}"))

    monkeypatch.setattr(Ours, "_react", react)
    assert ours.inbound.take_in(ORDER)
    assert ours.quarantine() == [("surgery-undated", "ServiceRequest/r1")]
    assert ours.read(ORDER)["status"] == "active"

"""The outbox and the links: newest version wins, not knowing is a state, a lost claim changes nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fhir_adapters.store.links import Link
from fhir_adapters.store.outbox import OutboxClaim
from fhir_adapters.store.sql import SqlStore
from pathway.errors import NotFound
from pathway.ports import Create, Resource, Update
from tests.fhir_adapters.store.conftest import BASE
from tests.fhir_adapters.store.ticking import Clock

LEASE = timedelta(minutes=5)


def task(**more: str) -> Resource:
    return {"resourceType": "Task", "id": "t1", "status": "requested", **more}


def link(sent_version: int = 1, their_id: str = "900") -> Link:
    return Link("Task", "t1", their_id, "3", task(id=their_id), sent_version)


def send(store: SqlStore, **more: str) -> None:
    with store.transaction("demo") as tx:
        tx.transact([Update(task(**more))])
        tx.send("Task/t1")


def claim(store: SqlStore) -> list[OutboxClaim]:
    return list(store.claim_outbox("demo", 10, LEASE))


def state(store: SqlStore) -> str:
    with store.transaction("demo") as tx:
        entry = tx.outbox.entry("Task", "t1")
        assert entry is not None
        return entry.state


def test_sent_once_and_linked(sql: SqlStore) -> None:
    send(sql)
    send(sql)
    [held] = claim(sql)
    assert (held.reference, held.wanted_version, held.attempt, held.uncertain) == ("Task/t1", 1, 1, False)
    assert claim(sql) == []
    assert sql.finish_outbox(held, link())
    assert not sql.finish_outbox(held, link())
    assert (claim(sql), state(sql), sql.link("demo", "Task", "t1")) == ([], "done", link())
    assert sql.link_by_theirs("demo", "Task", "900") == link()
    send(sql)
    assert claim(sql) == []


def test_newer_version_while_sending_is_sent_next(sql: SqlStore) -> None:
    send(sql)
    [held] = claim(sql)
    send(sql, status="accepted")
    assert state(sql) == "sending"
    assert sql.finish_outbox(held, link(1))
    [again] = claim(sql)
    assert (again.wanted_version, again.attempt, again.uncertain) == (2, 1, False)


def test_send_and_sent(sql: SqlStore) -> None:
    with sql.transaction("demo") as tx:
        tx.transact([Create(task())])
        assert not tx.sent("Task/t1")
        tx.send("Task/t1")
        assert tx.sent("Task/t1")
        for nothing in ("Task/t2", "urn:uuid:1"):
            assert not tx.sent(nothing)
            with pytest.raises(NotFound):
                tx.send(nothing)
        tx.transact([Create(task(id="t3"))])
        tx.links.save(Link("Task", "t3", "903", None, task(id="903"), 1))
        assert tx.sent("Task/t3")


def test_unknown_stays_uncertain_until_it_is_resolved(sql: SqlStore, clock: Clock) -> None:
    send(sql)
    assert sql.mark_unknown(claim(sql)[0], clock.now + timedelta(minutes=1), "cut off")
    assert (claim(sql), state(sql)) == ([], "unknown")
    clock.forward(minutes=1)
    [held] = claim(sql)
    assert (held.uncertain, held.attempt) == (True, 2)
    assert sql.retry_outbox(held, clock.now, "still down")
    [held] = claim(sql)
    assert held.uncertain
    assert sql.finish_outbox(held, link())


def test_retry_waits_and_is_certain(sql: SqlStore, clock: Clock) -> None:
    send(sql)
    assert sql.retry_outbox(claim(sql)[0], clock.now + timedelta(minutes=1), "too busy")
    assert claim(sql) == []
    clock.forward(minutes=1)
    assert [(held.uncertain, held.attempt) for held in claim(sql)] == [(False, 2)]


def test_abandoned_claim_is_uncertain_and_fenced(sql: SqlStore, clock: Clock) -> None:
    send(sql)
    [first] = claim(sql)
    clock.forward(minutes=6)
    [second] = claim(sql)
    assert second.uncertain
    assert not sql.retry_outbox(first, clock.now, "late")
    assert not sql.mark_unknown(first, clock.now, "late")
    assert not sql.quarantine_outbox(first, "late")
    assert not sql.finish_outbox(first, link(their_id="901"))
    assert sql.link("demo", "Task", "t1") is None
    assert sql.quarantine_entries("demo") == []
    assert sql.finish_outbox(second, link())


def test_a_claim_can_be_held_for_longer_by_who_has_it(sql: SqlStore, clock: Clock) -> None:
    def hold(held: OutboxClaim) -> bool:
        with sql.transaction("demo") as tx:
            return tx.outbox.hold(held, LEASE)

    send(sql)
    [first] = claim(sql)
    clock.forward(minutes=4)
    assert hold(first)
    clock.forward(minutes=4)
    assert claim(sql) == []
    clock.forward(minutes=2)
    [second] = claim(sql)
    assert (hold(first), hold(second)) == (False, True)


def test_quarantined_waits_for_a_new_version(sql: SqlStore) -> None:
    send(sql)
    assert sql.quarantine_outbox(claim(sql)[0], "Task.owner: not known here")
    [entry] = sql.quarantine_entries("demo")
    assert (entry.reference, entry.version, entry.explanation) == ("Task/t1", "1", "Task.owner: not known here")
    send(sql)
    assert (claim(sql), state(sql)) == ([], "quarantined")
    send(sql, status="accepted")
    assert [held.wanted_version for held in claim(sql)] == [2]


def test_person_asks_to_try_again(sql: SqlStore) -> None:
    send(sql)
    sql.quarantine_outbox(claim(sql)[0], "no")
    [entry] = sql.quarantine_entries("demo")
    assert sql.retry_quarantine("demo", entry.id, "anna").retries == 1
    [held] = claim(sql)
    assert (held.attempt, held.uncertain) == (1, False)
    assert sql.finish_outbox(held, link())
    sql.resolve_quarantine("demo", entry.id, "anna")
    assert sql.quarantine_entries("demo") == []
    assert [one.state for one in sql.quarantine_entries("demo", open_only=False)] == ["resolved"]
    assert not sql.requeue_outbox("demo", "Task", "t1")


def test_ours(sql: SqlStore) -> None:
    with sql.transaction("demo") as tx:
        tx.transact([Create(task())])
        tx.links.save(link())
        for theirs in ("Task/900", f"{BASE}/Task/900", f"{BASE}/Task/900/_history/3"):
            assert tx.ours(theirs) == "Task/t1"
        assert tx.ours(f"{BASE}/Patient/p1") == "Patient/p1"
        for unchanged in ("Patient/p1", "https://other.example/fhir/Task/900", "#contained", "urn:uuid:1", "Task/t1"):
            assert tx.ours(unchanged) == unchanged
        assert tx.links.all("Task") == [link()]
        assert tx.links.all("CarePlan") == []

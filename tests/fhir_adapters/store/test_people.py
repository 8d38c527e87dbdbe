"""Alerts, quarantine, cursors and what an operator sees."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fhir_adapters.store.alert_routes import AlertCall
from fhir_adapters.store.memory import MemoryStore
from fhir_adapters.store.sql import SqlStore
from pathway.errors import NotFound
from pathway.ports import Alert, Create, Quarantined
from tests.fhir_adapters.store.test_due import work
from tests.fhir_adapters.store.ticking import START, Clock

LEASE = timedelta(minutes=5)


def test_alert_is_repeated_until_acknowledged(sql: SqlStore, clock: Clock) -> None:
    with sql.transaction("demo") as tx:
        tx.alert(Alert("red-flag", "stat", "Task/1"))
        tx.alert(Alert("overdue", "urgent", "Task/1"))
    [entry] = sql.claim_alerts("demo", 10, LEASE)
    assert (entry.as_alert(), entry.attempt) == (Alert("red-flag", "stat", "Task/1"), 1)
    assert sql.claim_alerts("demo", 10, LEASE) == []
    sql.record_call("demo", AlertCall(entry.id, "a1", "desk", START, True, "delivered"))
    sql.alert_waits("demo", entry.id, clock.now + timedelta(minutes=30))
    clock.forward(minutes=30)
    [again] = sql.claim_alerts("demo", 10, LEASE)
    assert (again.id, again.attempt, again.state, again.sent_at) == (entry.id, 2, "sent", START)
    assert sql.acknowledge("demo", entry.id, "anna").acknowledged_by == "anna"
    assert sql.acknowledge("demo", entry.id, "bert").acknowledged_by == "anna"
    sql.record_call("demo", AlertCall(entry.id, "a1", "desk", clock.now, True, "delivered"))
    sql.alert_waits("demo", entry.id, clock.now)
    clock.forward(days=1)
    assert sql.claim_alerts("demo", 10, LEASE) == []
    with pytest.raises(NotFound):
        sql.acknowledge("demo", "nothing", "anna")


def test_alert_that_reached_nobody_is_tried_again(sql: SqlStore, clock: Clock) -> None:
    with sql.transaction("demo") as tx:
        tx.alert(Alert("red-flag", "stat", "Task/1"))
    [entry] = sql.claim_alerts("demo", 10, LEASE)
    sql.record_call("demo", AlertCall(entry.id, "a1", "desk", START, False, "The mail server gave no answer"))
    sql.alert_waits("demo", entry.id, clock.now + timedelta(minutes=1))
    clock.forward(minutes=1)
    [again] = sql.claim_alerts("demo", 10, LEASE)
    assert (again.attempt, again.state, again.raised_at) == (2, "waiting", START)


def test_worker_that_died_with_an_alert(sql: SqlStore, clock: Clock) -> None:
    with sql.transaction("demo") as tx:
        tx.alert(Alert("red-flag", "stat", "Task/1"))
    assert len(sql.claim_alerts("demo", 10, LEASE)) == 1
    clock.now += LEASE
    assert len(sql.claim_alerts("demo", 10, LEASE)) == 1


def test_quarantined_once_per_reference_version_and_reason(sql: SqlStore) -> None:
    with sql.transaction("demo") as tx:
        for version in ("1", "1", "2"):
            tx.quarantine(Quarantined("surgery", "Which one?", "Procedure/1", version))
        tx.quarantine(Quarantined("body", "No JSON"))
        tx.quarantine(Quarantined("body", "No JSON again"))
    entries = sql.quarantine_entries("demo")
    assert sorted((one.reference, one.version, one.explanation) for one in entries) == [
        ("", "", "No JSON"),
        ("Procedure/1", "1", "Which one?"),
        ("Procedure/1", "2", "Which one?"),
    ]
    with pytest.raises(NotFound):
        sql.resolve_quarantine("demo", "nothing", "anna")


def opened(store: SqlStore | MemoryStore) -> list[tuple[str, str]]:
    """Place and sentence of what is open in quarantine."""
    found = store.quarantine_entries("demo") if isinstance(store, SqlStore) else store.state("demo").quarantine.values()
    return sorted((one.version or "", one.explanation) for one in found)


def test_a_report_follows_what_is_wrong_now(store: SqlStore | MemoryStore) -> None:
    def report(**problems: str) -> list[tuple[str, str]]:
        with store.transaction("demo") as tx:
            tx.report("CarePlan/1", "undecided", problems)
        return opened(store)

    with store.transaction("demo") as tx:
        tx.quarantine(Quarantined("other", "Stays.", "CarePlan/1", "here"))
        tx.quarantine(Quarantined("undecided", "Stays.", "CarePlan/2", "here"))
    others = [("here", "Stays.")] * 2
    assert report(here="A value.") == [("here", "A value."), *others]
    assert report(here="Two values.", there="Gone.") == [*others, ("here", "Two values."), ("there", "Gone.")]
    assert report(there="Gone.") == [*others, ("there", "Gone.")]
    assert report(there="Gone.", here="Again.") == [("here", "Again."), *others, ("there", "Gone.")]
    assert report() == others


def test_what_is_wrong_again_is_open_since_then(sql: SqlStore, clock: Clock) -> None:
    ids = set()
    for problems in ({"here": "Two values."}, {}, {"here": "No boolean."}):
        clock.forward(minutes=1)
        with sql.transaction("demo") as tx:
            tx.report("CarePlan/1", "undecided", problems)
        ids |= {one.id for one in sql.quarantine_entries("demo")}
    [entry] = sql.quarantine_entries("demo", open_only=False)
    assert (entry.state, entry.explanation, {entry.id}) == ("open", "No boolean.", ids)
    assert clock.now - entry.at < timedelta(seconds=10)


def test_what_somebody_resolved_is_open_again_while_it_lasts(sql: SqlStore) -> None:
    def report() -> list[str]:
        with sql.transaction("demo") as tx:
            tx.report("CarePlan/1", "undecided", {"here": "Two values."})
        return [one.id for one in sql.quarantine_entries("demo")]

    [id] = report()
    sql.resolve_quarantine("demo", id, "anna")
    assert sql.quarantine_entries("demo") == []
    assert report() == [id]


def test_cursor(sql: SqlStore) -> None:
    assert sql.cursor("demo", "Procedure") is None
    for since in (START, START + timedelta(microseconds=1)):
        sql.save_cursor("demo", "Procedure", since)
        assert sql.cursor("demo", "Procedure") == since


def test_hospitals(sql: SqlStore) -> None:
    sql.register("b", "test", "https://b.example/fhir/", {"zone": "Europe/Berlin"})
    sql.set_status("b", "active")
    record = sql.hospital("b")
    assert (record.base_url, record.status, record.site) == (
        "https://b.example/fhir",
        "active",
        {"zone": "Europe/Berlin"},
    )
    sql.set_site("b", {"zone": "Europe/Lisbon"})
    assert [(one.name, one.site) for one in sql.hospitals()] == [("b", {"zone": "Europe/Lisbon"}), ("demo", {})]
    with pytest.raises(NotFound):
        sql.set_status("c", "active")


def test_counts_and_heartbeat(sql: SqlStore) -> None:
    with sql.transaction("demo") as tx:
        tx.transact([Create({"resourceType": "Patient", "id": "p1"})])
        tx.send("Patient/p1")
        tx.due.plan(work())
        tx.alert(Alert("red-flag", "stat", "Task/1"))
    sql.heartbeat("tick", "fine")
    sql.heartbeat("tick", "still fine")
    counts = sql.counts("demo")
    assert (counts.due, counts.outbox, counts.alerts, counts.quarantine) == (
        {"scheduled": 1},
        {"waiting": 1},
        {"waiting": 1},
        {},
    )
    assert (counts.resources, counts.oldest_due, counts.oldest_queued) == ({"Patient": 1}, START, START)
    assert [(beat.name, beat.at, beat.note) for beat in sql.heartbeats()] == [("tick", START, "still fine")]

"""Due work: generations, leases and fences, in SQL and in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from fhir_adapters.store.memory import MemoryStore
from fhir_adapters.store.sql import SqlStore
from pathway.due_work import Claim, DueState, DueWork
from tests.fhir_adapters.store.ticking import START, Clock

Stores = SqlStore | MemoryStore
LEASE = timedelta(minutes=5)


def work(key: str = "plan:remind", due_at: datetime = START, **more: Any) -> DueWork:
    same: dict[str, Any] = {"wall_time": "2026-03-02T10:00", "zone": "Europe/Berlin", "care_plan": "CarePlan/1"}
    same |= {"action": "remind", "why": "Seven days before the visit", "payload": {"v": 1, "task": "Task/1"}}
    return DueWork(key, "remind", due_at, **(same | more))


def plan(store: Stores, *works: DueWork) -> None:
    with store.transaction("demo") as tx:
        for one in works:
            tx.due.plan(one)


def rows(store: Stores) -> dict[str, DueWork]:
    with store.transaction("demo") as tx:
        return {one.key: one for one in tx.due.of_plan("CarePlan/1")}


def claim(store: Stores, now: datetime = START, limit: int = 10) -> list[Claim]:
    return list(store.claim_due("demo", now, limit, LEASE))


def finish(store: Stores, held: Claim, state: DueState = "done", error: str | None = None) -> bool:
    with store.transaction("demo") as tx:
        return tx.due.finish(held, state, error)


def test_planned_work_is_kept_as_it_is(store: Stores) -> None:
    wanted = work(expires_at=START + timedelta(days=14), window_low="2026-03-08", window_high="2026-03-15")
    plan(store, wanted)
    assert rows(store) == {wanted.key: wanted}


def test_finished_work_says_when_it_was_looked_at_and_is_found_by_when_it_was_due(store: Stores) -> None:
    plan(store, work(), work("plan:later", START + timedelta(days=1)))
    [held] = claim(store)
    at = START + timedelta(hours=3)
    with store.transaction("demo") as tx:
        assert tx.due.finish(held, "done", at=at)
        assert [one.key for one in tx.due.fell_due(START, START + timedelta(days=1))] == ["plan:remind"]
        assert tx.due.fell_due(START + timedelta(days=2), START + timedelta(days=3)) == []
    assert rows(store)["plan:remind"].released_at == at
    plan(store, work(due_at=START + timedelta(days=5)))
    assert rows(store)["plan:remind"].released_at is None


def test_planning_the_same_again_changes_nothing(store: Stores) -> None:
    plan(store, work())
    [held] = claim(store)
    plan(store, work(why="said otherwise"))
    assert rows(store)["plan:remind"].generation == 1
    assert finish(store, held)


@pytest.mark.parametrize(
    "change",
    [
        {"due_at": START + timedelta(days=1)},
        {"wall_time": "2026-03-03T10:00"},
        {"zone": "Europe/Lisbon"},
        {"expires_at": START + timedelta(days=9)},
        {"window_high": "2026-03-20"},
        {"payload": {"v": 1, "task": "Task/2"}},
    ],
)
def test_replanned_open_work_is_a_new_generation(store: Stores, change: dict[str, Any]) -> None:
    plan(store, work())
    [held] = claim(store)
    plan(store, replace(work(), **change))
    [row] = rows(store).values()
    assert (row.generation, row.state, row.attempt) == (2, "scheduled", 0)
    assert not finish(store, held)
    assert rows(store)["plan:remind"] == row


def test_only_due_work_is_claimed_oldest_first(store: Stores) -> None:
    plan(store, work("later", START + timedelta(hours=1)), work("new", START), work("old", START - timedelta(days=1)))
    assert [held.work.key for held in claim(store)] == ["old", "new"]
    assert claim(store) == []
    assert [held.work.key for held in claim(store, START + timedelta(hours=1))] == ["later"]


def test_limit(store: Stores) -> None:
    plan(store, *(work(f"k{number}") for number in range(5)))
    assert [len(claim(store, limit=3)) for _ in range(3)] == [3, 2, 0]


def test_abandoned_claim_is_taken_over_and_the_first_holder_fenced(store: Stores, clock: Clock) -> None:
    plan(store, work())
    [first] = claim(store)
    clock.now += LEASE
    assert claim(store) == []
    clock.forward(seconds=1)
    [second] = claim(store)
    assert (first.work.attempt, second.work.attempt) == (1, 2)
    assert not finish(store, first)
    assert finish(store, second)
    assert not finish(store, second)
    assert rows(store)["plan:remind"].state == "done"


def test_retry_waits_on_the_clinical_clock_and_keeps_what_is_meant(store: Stores) -> None:
    plan(store, work())
    [held] = claim(store)
    with store.transaction("demo") as tx:
        assert tx.due.retry(held, START + timedelta(minutes=10), "hospital asleep")
        assert not tx.due.retry(held, START, "twice")
    plan(store, work())
    row = rows(store)["plan:remind"]
    assert (row.generation, row.due_at, row.state, row.last_error) == (1, START, "scheduled", "hospital asleep")
    assert claim(store, START + timedelta(minutes=9)) == []
    assert [again.work.attempt for again in claim(store, START + timedelta(minutes=10))] == [2]


def test_cancelled_work_is_not_claimed_and_can_be_planned_again(store: Stores) -> None:
    plan(store, work())
    [held] = claim(store)
    with store.transaction("demo") as tx:
        tx.due.cancel("plan:remind", "surgery cancelled")
        tx.due.cancel("unknown", "no such row")
    assert not finish(store, held)
    assert (rows(store)["plan:remind"].state, claim(store)) == ("cancelled", [])
    plan(store, work())
    assert [(again.work.generation, again.work.attempt) for again in claim(store)] == [(2, 1)]


@pytest.mark.parametrize("state", ["done", "expired"])
def test_ended_work_is_reopened_only_for_another_time(store: Stores, state: DueState) -> None:
    plan(store, work())
    finish(store, claim(store)[0], state, "said why")
    with store.transaction("demo") as tx:
        tx.due.cancel("plan:remind", "too late")
    plan(store, work(payload={"v": 2}))
    row = rows(store)["plan:remind"]
    assert (row.state, row.generation, row.last_error) == (state, 1, "said why")
    plan(store, work(due_at=START + timedelta(days=1)))
    row = rows(store)["plan:remind"]
    assert (row.state, row.generation, row.last_error) == ("scheduled", 2, None)


def test_a_batch_has_one_token_and_holds_what_nobody_has_changed(store: Stores, clock: Clock) -> None:
    plan(store, *(work(f"k{number}") for number in range(4)), work("later", START + timedelta(days=1)))
    first, *_ = claims = claim(store)
    assert {held.token for held in claims} == {first.token}
    assert (store.claimed("demo", first.token), store.held("demo")) == (claims, 4)
    finish(store, claims[0])
    plan(store, work("k1", START - timedelta(days=1)))
    with store.transaction("demo") as tx:
        tx.due.cancel("k2", "called off")
    assert [held.work.key for held in store.claimed("demo", first.token)] == ["k3"]
    assert (store.claimed("demo", "another"), store.held("demo")) == ([], 1)
    clock.now += LEASE + timedelta(seconds=1)
    assert store.held("demo") == 0
    claim(store)
    assert store.claimed("demo", first.token) == []


def test_a_batch_is_handed_over_in_the_transaction_that_claims_it(store: Stores) -> None:
    handed: list[tuple[str, str]] = []

    def hand_over(_: Any, hospital: str, token: str) -> None:
        handed.append((hospital, token))
        if len(handed) == 1:
            raise ZeroDivisionError

    assert store.claim_due("demo", START, 10, LEASE, hand_over) == []
    assert handed == []
    plan(store, work())
    with pytest.raises(ZeroDivisionError):
        store.claim_due("demo", START, 10, LEASE, hand_over)
    assert (rows(store)["plan:remind"].state, store.held("demo")) == ("scheduled", 0)
    [held] = store.claim_due("demo", START, 10, LEASE, hand_over)
    assert handed[1] == ("demo", held.token)


def test_a_lease_of_a_clock_that_went_back_is_over(store: Stores, clock: Clock) -> None:
    plan(store, work())
    claim(store)
    clock.now -= timedelta(days=1)
    assert store.held("demo") == 0
    assert len(claim(store)) == 1


def test_what_was_put_aside_can_be_taken_up_as_new_work(store: Stores) -> None:
    plan(store, work())
    [held] = claim(store)
    finish(store, held, "quarantined", "failed five times")
    with store.transaction("demo") as tx:
        assert [aside.key for aside in tx.due.put_aside()] == ["plan:remind"]
        assert tx.due.reopen("plan:remind")
        assert not tx.due.reopen("plan:remind")
        assert not tx.due.reopen("unknown")
        assert tx.due.put_aside() == []
    row = rows(store)["plan:remind"]
    assert (row.state, row.generation, row.attempt) == ("scheduled", 2, 0)
    assert [again.work.generation for again in claim(store)] == [2]


def test_open_work_of_another_kind_is_new_work(store: Stores) -> None:
    plan(store, work())
    plan(store, replace(work(), kind="start"))
    assert [(row.kind, row.generation) for row in rows(store).values()] == [("start", 2)]


def test_other_hospitals_work_is_not_seen(store: Stores) -> None:
    store.register("other", "test", "https://other.example/fhir")
    plan(store, work())
    assert store.claim_due("other", START, 10, LEASE) == []


def test_nothing_is_planned_by_a_transaction_that_fails(store: Stores) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction("demo") as tx:
        tx.due.plan(work())
        raise ZeroDivisionError
    assert rows(store) == {}

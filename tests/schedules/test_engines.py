"""One interface, the same behaviour: due work in process on every store, and handed over to procrastinate."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pathway.due_kinds import FAILED, UNKNOWN
from pathway.ports import Quarantined
from schedules.duties.release import take_up
from tests.fhir_adapters.store.ticking import START
from tests.schedules.engines import HOSPITAL, Bench, work

HOUR = timedelta(hours=1)


def quarantine(bench: Bench) -> list[tuple[str, str]]:
    """Reason and key of what is put aside."""
    if hasattr(bench.store, "quarantine_entries"):
        return [(entry.reason, entry.version) for entry in bench.store.quarantine_entries(HOSPITAL)]
    entries: list[Quarantined] = list(bench.store.state(HOSPITAL).quarantine.values())
    return [(entry.reason, entry.version or "") for entry in entries]


def test_what_is_due_is_done_once_and_in_order(bench: Bench) -> None:
    bench.plan(work("later", START + HOUR), work("second"), work("first", START - HOUR))
    bench.run()
    assert bench.effects() == ["first", "second"]
    assert bench.states() == {"first": "done", "second": "done", "later": "scheduled"}
    bench.run()
    assert bench.effects() == ["first", "second"]


def test_several_batches(bench: Bench) -> None:
    bench.plan(*(work(f"k{number:03}") for number in range(230)))
    bench.run()
    assert bench.effects() == [f"k{number:03}" for number in range(230)]
    assert set(bench.states().values()) == {"done"}


def test_what_was_planned_anew_after_it_was_taken_writes_nothing(bench: Bench) -> None:
    bench.plan(work("moved"), work("cancelled"))
    assert bench.take() == 2
    bench.plan(work("moved", START + HOUR))
    with bench.store.transaction(HOSPITAL) as tx:
        tx.due.cancel("cancelled", "surgery cancelled")
    bench.work_off()
    assert bench.effects() == []
    assert bench.states() == {"moved": "scheduled", "cancelled": "cancelled"}
    assert bench.rows()["moved"].generation == 2
    bench.clinical += HOUR
    bench.run()
    assert bench.effects() == ["moved"]


def test_what_was_taken_over_after_its_lease_is_done_once(bench: Bench) -> None:
    bench.plan(work("slow"))
    first, second = bench, bench.another()
    assert (first.take(), second.take()) == (1, 0)
    bench.clock.now += bench.lease()
    assert second.take() == 1
    assert bench.rows()["slow"].attempt == 2
    first.work_off()
    second.work_off()
    assert bench.effects() == ["slow"]
    assert bench.states() == {"slow": "done"}


def test_poison_is_tried_five_times_then_a_person_is_asked_and_it_blocks_nobody(bench: Bench) -> None:
    bench.plan(work("poison", START - HOUR), work("good"))
    for _ in range(5):
        bench.run()
        bench.clinical += timedelta(seconds=31)
    assert bench.effects() == ["good"]
    row = bench.rows()["poison"]
    assert (row.state, row.attempt) == ("quarantined", 5)
    assert quarantine(bench) == [(FAILED, "poison/1")]
    [task] = bench.reviews()
    assert task["owner"]["reference"] == "PractitionerRole/coordinator"
    assert task["focus"]["reference"] == "CarePlan/plan"
    assert task["reasonCode"]["coding"][0]["code"] == FAILED


@pytest.mark.parametrize("strange", [{"kind": "fax"}, {"payload": {"version": 2}}], ids=["kind", "payload version"])
def test_work_of_another_version_is_put_aside_and_a_person_is_asked(bench: Bench, strange: dict[str, Any]) -> None:
    bench.plan(work("odd", **strange), work("good"))
    bench.run()
    bench.run()
    assert bench.effects() == ["good"]
    row = bench.rows()["odd"]
    assert (row.state, row.kind, row.payload) == ("quarantined", work("odd", **strange).kind, row.payload)
    assert quarantine(bench) == [(UNKNOWN, "odd/1")]
    [task] = bench.reviews()
    assert (task["status"], task["owner"]["reference"]) == ("requested", "PractitionerRole/coordinator")
    assert task["reasonCode"]["coding"][0]["code"] == UNKNOWN
    assert take_up(bench.store, HOSPITAL) == 0


def test_a_version_that_knows_it_takes_it_up_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.plan(work("odd", payload={"version": 2}))
    bench.run()
    assert bench.states() == {"odd": "quarantined"}
    monkeypatch.setattr("pathway.due_kinds.VERSION", 2)
    newer = bench.another()
    newer.engine().dispatch(HOSPITAL)
    newer.work_off()
    assert newer.effects() == ["odd"]
    assert quarantine(newer) == []
    assert newer.rows()["odd"].generation == 2


def test_a_row_without_a_version_is_of_the_first(bench: Bench) -> None:
    bench.plan(work("old", payload={}))
    bench.run()
    assert bench.effects() == ["old"]


def test_expired_work_is_closed_as_such(bench: Bench) -> None:
    bench.plan(replace(work("reminder"), expires_at=START + HOUR))
    bench.clinical += HOUR
    bench.run()
    assert bench.states() == {"reminder": "expired"}

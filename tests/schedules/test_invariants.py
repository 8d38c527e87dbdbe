"""What must hold of due work whatever happens, by the numbers of docs/scheduling-engines.md; on both databases."""

from __future__ import annotations

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from fhir_adapters.store.sql import SqlStore
from fhir_adapters.store.times import to_text
from pathway.ports import Transaction
from pathway.situation import Now
from pathway.writing import Effect
from schedules.duties import release, sweep
from schedules.engine import InProcess, Releasing
from service import bootstrap
from service.bootstrap import open_store
from tests.fhir_adapters.store.ticking import START
from tests.pathway.conftest import Clinic, WireClock
from tests.schedules.engines import HOSPITAL, LIBRARY, Bench, Recording, work
from tests.schedules.processes import claimed_by_processes

DAY, YEAR = timedelta(days=1), timedelta(days=365)


class SqlClinic(Clinic):
    """A patient's course on a database; due work is done by the engine of the bench."""

    store: Any

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench.store, WireClock(), LIBRARY, "south")  # type: ignore[arg-type]
        self.bench = bench

    def release(self) -> int:
        releasing = Releasing(self.store, lambda _: self.pathway, lambda _: self.now())
        return InProcess(releasing).dispatch(self.hospital)

    def sweep(self) -> sweep.Report:
        return sweep.run(self.store, lambda: self.pathway, self.now)

    def rows(self, columns: str = "key, state, due_at") -> list[tuple[Any, ...]]:
        with self.store.engine.connect() as connection:
            query = text(f"SELECT {columns} FROM due WHERE hospital = 'south' ORDER BY key")
            return [tuple(row) for row in connection.execute(query)]

    def execute(self, statement: str) -> int:
        with self.store.engine.begin() as connection:
            return int(connection.execute(text(statement)).rowcount)


@pytest.fixture
def clinic(database: Bench) -> SqlClinic:
    return SqlClinic(database)


def test_01_every_surgery_has_its_rows_and_what_is_lost_comes_back(clinic: SqlClinic) -> None:
    clinic.operated()
    planned, first = clinic.rows(), clinic.sweep()
    assert (first.surgeries, first.planned, first.missing, first.mended) == (1, 1, 0, 0)
    assert clinic.rows() == planned
    assert clinic.execute("DELETE FROM due WHERE hospital = 'south' AND state = 'scheduled'") > 0
    assert clinic.sweep().mended == 1
    assert [row for row in clinic.rows() if row[1] == "scheduled"] == [row for row in planned if row[1] == "scheduled"]
    assert (clinic.sweep().mended, clinic.sweep().missing) == (0, 0)


class Witness(Recording):
    """Also looks whether the due row it acts for is the present one, in the same transaction."""

    def advance(self, tx: Transaction, care_plan: str, now: Now, cause: str) -> Effect:
        present = {f"due: {row.why}" for row in tx.due.of_plan(care_plan) if row.state == "done"}
        return super().advance(tx, care_plan, now, cause if cause in present else f"due: superseded {cause}")


def test_02_03_no_effect_twice_and_none_of_a_superseded_generation(database: Bench) -> None:
    known = database.pathway
    database.pathway = Witness(known.library, known.site, known.choosing)
    moves, stop = random.Random(5), threading.Event()

    def working() -> None:
        process = database.another()
        while not stop.is_set():
            process.take()
            process.work_off()

    workers = [threading.Thread(target=working) for _ in range(2)]
    for worker in workers:
        worker.start()
    for number in range(80):
        key = f"k{moves.randrange(6)}"
        if moves.random() < 0.2:
            with database.store.transaction(HOSPITAL) as tx:
                tx.due.cancel(key, "called off")
        else:
            database.plan(work(key, START - timedelta(seconds=number), why=f"{key} move {number}"))
    stop.set()
    for worker in workers:
        worker.join()
    database.clock.now += database.lease()
    database.run()
    effects = Counter(database.effects())
    assert [cause for cause in effects if "superseded" in cause] == []
    assert effects and max(effects.values()) == 1
    done = {row.why for row in database.rows().values() if row.state == "done"}
    assert done <= set(effects)
    assert set(database.states().values()) <= {"done", "cancelled"}


def test_04_racing_ticks_never_claim_the_same(database: Bench) -> None:
    keys = [f"k{number:03}" for number in range(120)]
    database.plan(*(work(key) for key in keys))
    found = claimed_by_processes(3, database.url, limit=7)
    assert sorted(key for claimed in found for key in claimed) == keys


def test_06_whatever_is_due_comes_to_an_end_beside_poison(database: Bench) -> None:
    database.plan(*(work(f"poison {number}", START - DAY) for number in range(5)), *(work(f"k{n}") for n in range(20)))
    for _ in range(5):
        database.run()
        database.clinical += timedelta(seconds=31)
    assert Counter(database.states().values()) == {"done": 20, "quarantined": 5}
    assert len(database.effects()) == 20


def test_07_a_clock_that_goes_forward_a_year_catches_up_in_order(database: Bench) -> None:
    moments = [START + timedelta(days=number * 37 % 360) for number in range(25)]
    database.plan(*(work(f"{moment:%m-%d}", moment) for moment in moments))
    database.clinical += YEAR
    database.run()
    assert database.effects() == [f"{moment:%m-%d}" for moment in sorted(moments)]


def test_07_a_clock_that_goes_back_a_day_runs_nothing_twice_and_holds_nothing_up(database: Bench) -> None:
    database.plan(work("done"))
    database.run()
    database.plan(work("held"))
    dead = database.another()
    assert dead.take() == 1
    database.clock.now -= DAY
    database.clinical -= DAY
    database.run()
    assert database.effects().count("done") == 1
    database.clinical += DAY
    database.run()
    dead.work_off()
    assert database.effects() == ["done", "held"]


def test_07_on_postgresql_only_the_databases_clock_decides(
    postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "wire_clock", lambda: datetime(2001, 1, 1, tzinfo=UTC))
    store = open_store(postgres_database)
    with store.engine.connect() as connection:
        before = connection.execute(text("SELECT now()")).scalar_one()
    store.register(HOSPITAL, "demo", "https://north.example/fhir")
    with store.transaction(HOSPITAL) as tx:
        tx.due.plan(work("one"))
        written = tx.receive({"resourceType": "Patient", "id": "p1"}, HOSPITAL)
    [claim] = store.claim_due(HOSPITAL, store.clinical_now(HOSPITAL), 1, release.LEASE)
    store.heartbeat("test")
    times = [store.wire_now(), store.clinical_now(HOSPITAL), tx.now, store.hospital(HOSPITAL).registered_at]
    times += [claim.lease_until - release.LEASE, store.heartbeats()[0].at]
    times.append(datetime.fromisoformat(written.resource["meta"]["lastUpdated"]) + timedelta(milliseconds=1))
    assert all(timedelta() <= moment - before < timedelta(minutes=1) for moment in times)
    store.engine.dispose()


def test_08_the_rules_of_a_zone_that_changed_are_followed_by_rows_that_lie_ahead(clinic: SqlClinic) -> None:
    clinic.booked()
    planned = clinic.rows("due_at, wall_time")
    stored = [str(row[0]) for row in planned]
    shifted = "UPDATE due SET due_at = :t, next_at = :t WHERE hospital = 'south' AND due_at = :old"
    with clinic.store.engine.begin() as connection:
        for old in stored:
            connection.execute(text(shifted), {"old": old, "t": old.replace("T22:", "T23:").replace("T23:", "T21:", 1)})
    assert clinic.rows("due_at, wall_time") != planned
    clinic.sweep()
    assert clinic.rows("due_at, wall_time") == planned


def test_09_a_year_of_standing_still_loses_no_visit_and_sends_no_stale_reminder(clinic: SqlClinic) -> None:
    clinic.operated()
    clinic.book_visit()
    clinic.clinical += YEAR
    clinic.release()
    assert clinic.ours("CommunicationRequest") == []
    assert clinic.statuses("Task")["fu-missed-visit"] == "requested"
    assert clinic.one("Appointment", "fu-first-visit-appointment")["status"] == "booked"
    assert clinic.store.queues("south").due["expired"] == 2
    ahead = [due_at for _, state, due_at in clinic.rows() if state not in ("done", "expired")]
    assert all(due_at > to_text(clinic.clinical) for due_at in ahead)
    report = clinic.sweep()
    assert (report.surgeries, report.planned, report.missing, report.mended) == (1, 1, 0, 0)
    assert clinic.release() == 0


def explained(store: SqlStore, limit: int) -> tuple[int, str]:
    """How much was claimed, and the plan of the very statement that looked for it."""
    asked: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if "next_at" in statement and statement.lstrip().startswith("SELECT"):
            asked.append((statement, parameters))

    event.listen(store.engine, "before_cursor_execute", note)
    found = store.claim_due(HOSPITAL, START, limit, release.LEASE)
    event.remove(store.engine, "before_cursor_execute", note)
    statement, parameters = asked[0]
    prefix = "EXPLAIN QUERY PLAN " if store.engine.dialect.name == "sqlite" else "EXPLAIN "
    with store.engine.connect() as connection:
        return len(found), str(connection.exec_driver_sql(prefix + statement, parameters).all())


def test_10_a_claim_is_bounded_and_uses_the_index_of_open_work(database: Bench) -> None:
    assert isinstance(database.store, SqlStore)
    rows = [work(f"due {number:05}") for number in range(300)]
    rows += [work(f"ahead {number:05}", START + timedelta(hours=number + 1)) for number in range(1500)]
    database.plan(*rows)
    with database.store.engine.begin() as connection:
        connection.execute(text("UPDATE due SET state = 'done' WHERE key BETWEEN 'ahead 00800' AND 'ahead 99999'"))
        connection.execute(text("ANALYZE"))
    for found in (100, 100, 100, 0):
        claimed, plan = explained(database.store, 100)
        assert claimed == found
        assert "ix_due_open" in plan


def test_13_no_database_is_locked_with_writers_tick_and_sweep(clinic: SqlClinic, database: Bench) -> None:
    clinic.operated()
    database.plan(*(work(f"k{number:03}") for number in range(200)))
    stop, errors = threading.Event(), []

    def again(act: Any) -> None:
        while not stop.is_set():
            try:
                act()
            except Exception as error:
                errors.append(error)

    def write() -> None:
        with database.store.transaction(HOSPITAL) as tx:
            tx.receive({"resourceType": "Patient", "id": f"p-{random.random()}"[:20]}, HOSPITAL)

    with ThreadPoolExecutor(5) as pool:
        for act in (write, write, clinic.sweep, database.another().run):
            pool.submit(again, act)
        elsewhere = claimed_by_processes(2, database.url, limit=3)
        stop.wait(4)
        stop.set()
    assert errors == []
    assert len({key for keys in elsewhere for key in keys} & set(database.effects())) == 0
    assert replace(clinic.sweep(), began=START, ended=None).missing == 0

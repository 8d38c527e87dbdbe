"""What only the database can show: concurrency, audit, the index rows and their plans."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import event, func, select

from fhir_adapters.store import columns as c
from fhir_adapters.store.engine import create_engine
from fhir_adapters.store.migrate import upgrade
from fhir_adapters.store.sql import SqlStore
from fhir_adapters.store.times import from_text, to_text
from pathway.codes import KEY_SYSTEM
from pathway.ports import Create, Delete, Key, Resource, Update, Written
from tests.fhir_adapters.store.conftest import BASE
from tests.fhir_adapters.store.test_due import work
from tests.fhir_adapters.store.ticking import START, Clock

KEY = Key(KEY_SYSTEM, "demo:plan:visit")
T = TypeVar("T")


def visit() -> Resource:
    return {"resourceType": "Task", "identifier": [KEY.identifier()], "status": "draft", "intent": "order"}


def in_parallel(number: int, call: Callable[[], T]) -> list[T]:
    start = threading.Barrier(number)

    def started() -> T:
        start.wait()
        return call()

    with ThreadPoolExecutor(number) as pool:
        return [future.result() for future in [pool.submit(started) for _ in range(number)]]


def test_one_key_created_by_twenty_is_one_resource(sql: SqlStore) -> None:
    def create() -> Written:
        return sql.repository("demo").transact([Create(visit(), KEY)])[0]

    written = in_parallel(20, create)
    assert sum(one.created for one in written) == 1
    assert len({one.reference for one in written}) == 1
    assert len(sql.repository("demo").search("Task").resources) == 1


def test_one_due_row_is_claimed_by_one(sql: SqlStore) -> None:
    with sql.transaction("demo") as tx:
        for number in range(30):
            tx.due.plan(work(f"key-{number}"))
    claims = in_parallel(8, lambda: sql.claim_due("demo", START, 5, timedelta(minutes=5)))
    keys = [claim.work.key for found in claims for claim in found]
    assert len(keys) == len(set(keys)) == 30


def test_readers_do_not_wait_for_a_writer(sql: SqlStore) -> None:
    with sql.transaction("demo") as tx:
        tx.transact([Create(visit(), KEY)])
        with ThreadPoolExecutor(1) as pool:
            seen = pool.submit(sql.repository("demo").search, "Task").result(timeout=5)
    assert seen.resources == []


def test_audit_says_who_did_what(sql: SqlStore) -> None:
    with sql.transaction("demo", actor="Practitioner/7") as tx:
        id = tx.transact([Create(visit(), KEY)])[0].resource["id"]
        tx.transact([Update(visit() | {"id": id, "status": "requested"}), Delete("Task", id)])
        tx.receive({"resourceType": "Procedure", "id": "op-1", "status": "completed"}, "pull")
    query = select(c.audit.c.actor, c.audit.c.action, c.audit.c.reference, c.audit.c.version).order_by(c.audit.c.seq)
    with sql.engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(query)]
        sources = list(connection.scalars(select(c.resource_version.c.source).order_by(c.resource_version.c.seq)))
    assert rows == [
        ("Practitioner/7", "create", f"Task/{id}", "1"),
        ("Practitioner/7", "update", f"Task/{id}", "2"),
        ("Practitioner/7", "delete", f"Task/{id}", "3"),
        ("pull", "create", "Procedure/op-1", "1"),
    ]
    assert sources == ["Practitioner/7"] * 3 + ["pull"]


def test_no_search_value_outlives_its_version(sql: SqlStore) -> None:
    repository = sql.repository("demo")
    id = repository.transact([Create(visit(), KEY)])[0].resource["id"]
    repository.transact([Delete("Task", id)])
    with sql.engine.connect() as connection:
        for table in (c.search_value, c.identity):
            assert connection.scalar(select(func.count()).select_from(table)) == 0


@pytest.mark.parametrize(
    ("where", "index"),
    [
        ("value = 'v' AND kind <> 'date'", "ix_search_value_value"),
        ("low >= '2026' AND kind = 'date'", "ix_search_value_date"),
    ],
)
def test_searches_use_the_partial_indexes(sql: SqlStore, where: str, index: str) -> None:
    query = f"SELECT id FROM search_value WHERE hospital='h' AND type='Task' AND param='p' AND {where}"
    assert index in _plan(sql, query)


def test_claiming_reads_open_work_in_its_order_from_the_index(sql: SqlStore) -> None:
    ran = _statements(sql)
    sql.claim_due("demo", START, 100, timedelta(seconds=20))
    [plan] = [_plan(sql, *one) for one in ran if one[0].startswith("SELECT due")]
    assert "due USING INDEX ix_due_open (hospital=? AND next_at<?)" in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize("second", [("date", "ge2026-01-01"), ("status", "booked"), ("status:not", "booked")])
def test_what_one_person_takes_part_in_is_found_without_walking_through_everything(
    sql: SqlStore, second: tuple[str, str]
) -> None:
    ran = _statements(sql)
    with sql.transaction("demo", read_only=True) as tx:
        tx.search("Appointment", [("actor", "Practitioner/kim"), second])
    statement, parameters = ran[-1]
    plan = _plan(sql, statement, parameters)
    assert plan.count("ix_search_value") == plan.count("ix_search_value_value") == 1
    assert "search_value USING INDEX sqlite_autoindex_search_value_1 (hospital=? AND type=? AND id=?)" in plan


def _statements(sql: SqlStore) -> list[tuple[str, Any]]:
    """Every statement from now on, with its parameters."""
    ran: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        ran.append((statement, parameters))

    event.listen(sql.engine, "before_cursor_execute", note)
    return ran


def _plan(sql: SqlStore, query: str, parameters: Any = ()) -> str:
    with sql.engine.connect() as connection:
        return str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", parameters).all())


def test_store_in_memory_serves_threads_in_turn() -> None:
    engine = create_engine("sqlite://")
    upgrade(engine)
    store = SqlStore(engine, Clock())
    store.register("demo", "demo", BASE)

    def create_and_read() -> Sequence[Resource]:
        store.repository("demo").transact([Create(visit(), KEY)])
        return store.repository("demo").search("Task").resources

    assert [len(found) for found in in_parallel(5, create_and_read)] == [1] * 5
    engine.dispose()


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    for created in (True, False):
        engine = create_engine(f"sqlite:///{tmp_path}/store.db")
        upgrade(engine)
        store = SqlStore(engine, Clock())
        if created:
            store.register("demo", "demo", BASE)
        assert store.repository("demo").transact([Create(visit(), KEY)])[0].created is created
        engine.dispose()


def test_times_are_aware_and_sort_as_text() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        to_text(START.replace(tzinfo=None))
    earlier, later = to_text(START), to_text(START + timedelta(microseconds=1))
    assert earlier < later
    assert from_text(later) == START + timedelta(microseconds=1)

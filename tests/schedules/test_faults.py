"""The database fails under the tick: a COMMIT, the disk, the right to write, or all of it but a backup."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from fhir_adapters.store.sql import SqlStore
from schedules.timetable import Duty, Timetable
from tests.fhir_adapters.store.ticking import Clock
from tests.schedules.engines import HOSPITAL, Bench, opened, register, sqlite_url, work


class Ticks:
    """A timetable with the one duty, ticked by hand; `notes` are its outcomes."""

    def __init__(self, bench: Bench) -> None:
        self.notes: list[str] = []
        self._timetable = Timetable(lambda: [Duty("north.release", 0, lambda: self.run(bench))], self.note)

    def run(self, bench: Bench) -> int:
        taken = bench.take()
        bench.work_off()
        return taken

    def note(self, _: str, note: str) -> None:
        self.notes.append(note)

    def tick(self) -> str:
        self._timetable.run_due(now=True)
        return self.notes[-1]


@contextmanager
def commit_that_fails(engine: Engine, number: int) -> Iterator[list[int]]:
    """The `number`-th COMMIT of the block raises, and leaves the transaction undone."""
    commits: list[int] = []

    def fail(_: Any) -> None:
        commits.append(1)
        if len(commits) == number:
            raise OperationalError("COMMIT", {}, sqlite3.OperationalError("connection lost"))

    event.listen(engine, "commit", fail)
    try:
        yield commits
    finally:
        event.remove(engine, "commit", fail)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6])
def test_after_a_commit_that_failed_the_next_tick_goes_on(database: Bench, number: int) -> None:
    assert isinstance(database.store, SqlStore)
    database.plan(work("one"), work("two"))
    ticks = Ticks(database)
    with commit_that_fails(database.store.engine, number) as commits:
        ticks.tick()
        reached = len(commits) >= number
    database.clock.now += database.lease()
    ticks.tick()
    database.clock.now += database.lease()
    database.run()
    assert sorted(database.effects()) == ["one", "two"]
    assert set(database.states().values()) == {"done"}
    assert reached or number > 3
    assert ticks.notes


@pytest.fixture
def file(tmp_path: Path, clock: Clock) -> Iterator[Bench]:
    """On SQLite, with two pieces due."""
    with opened(sqlite_url(tmp_path), clock) as store:
        register(store)
        bench = Bench(store, clock, "in-process", sqlite_url(tmp_path))
        bench.plan(work("one"), work("two"))
        yield bench


@contextmanager
def each_connection(engine: Engine, prepare: Callable[[Any], object]) -> Iterator[None]:
    """Every new connection is prepared by `prepare`; those before are closed, and the same afterwards."""

    def connected(connection: Any, _: Any) -> None:
        prepare(connection)

    engine.dispose()
    event.listen(engine, "connect", connected)
    try:
        yield
    finally:
        event.remove(engine, "connect", connected)
        engine.dispose()


def pages(connection: Any) -> int:
    return int(connection.execute("PRAGMA page_count").fetchone()[0])


def test_a_full_disk_stops_the_work_and_loses_none(file: Bench) -> None:
    assert isinstance(file.store, SqlStore)
    ticks = Ticks(file)
    file.plan(*(work(f"k{number:03}", why="x" * 2000 + str(number)) for number in range(30)))
    with each_connection(file.store.engine, lambda c: c.execute(f"PRAGMA max_page_count = {pages(c)}")):
        notes = {ticks.tick() for _ in range(3)}
        assert "failed: OperationalError" in notes
        with pytest.raises(OperationalError, match="full"):
            file.plan(*(work(f"more {number}", why="y" * 4000) for number in range(30)))
        assert len(file.effects()) < 32
    file.clock.now += file.lease()
    assert ticks.tick().startswith("done: ")
    file.run()
    assert len(file.effects()) == len(set(file.effects())) == 32
    assert set(file.states().values()) == {"done"}


def test_a_database_that_cannot_be_written_stops_the_work_and_loses_none(file: Bench, tmp_path: Path) -> None:
    assert isinstance(file.store, SqlStore)
    file.store.engine.dispose()
    read_only = f"sqlite:///file:{tmp_path}/due.db?mode=ro&uri=true"
    from fhir_adapters.store.engine import create_engine  # noqa: PLC0415

    engine = create_engine(read_only)
    ticks = Ticks(Bench(SqlStore(engine, file.clock), file.clock, "in-process"))
    assert [ticks.tick(), ticks.tick()] == ["failed: OperationalError"] * 2
    engine.dispose()
    assert file.states() == {"one": "scheduled", "two": "scheduled"}
    file.run()
    assert file.effects() == ["one", "two"]


def test_a_backup_that_was_taken_while_it_worked_goes_on_from_there(file: Bench, tmp_path: Path, clock: Clock) -> None:
    file.plan(*(work(f"k{number:03}") for number in range(150)))
    working = threading.Thread(target=file.run)
    working.start()
    copy = tmp_path / "copy"
    copy.mkdir()
    while not 10 < len(file.effects()) < 140:
        assert working.is_alive()
    backup(tmp_path / "due.db", copy / "due.db")
    working.join()
    with opened(sqlite_url(copy), clock) as store:
        restored = Bench(store, clock, "in-process", sqlite_url(copy))
        before = restored.effects()
        assert 10 < len(before) < 152
        clock.now += restored.lease()
        restored.run()
        assert sorted(restored.effects()) == sorted(["one", "two", *(f"k{number:03}" for number in range(150))])
        assert restored.effects()[: len(before)] == before
        with store.transaction(HOSPITAL, read_only=True) as tx:
            assert len(tx.outbox.entries()) == 152


def backup(database: Path, copy: Path) -> None:
    """By SQLite's own means, in another process's stead: a snapshot, whoever writes meanwhile."""
    source = sqlite3.connect(database)
    source.execute("VACUUM INTO ?", (str(copy),))
    source.close()

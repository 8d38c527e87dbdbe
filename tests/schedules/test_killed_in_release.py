"""kill -9 before every statement and every COMMIT of tick, claim, hand-off and effect: one effect, none lost."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.fhir_adapters.store.ticking import START, Clock
from tests.schedules.engines import HOSPITAL, Bench, Name, opened, register, sqlite_url, work
from tests.schedules.killed import finish, killed_at
from tests.servers import postgres

LATER = START + timedelta(minutes=30)  # every lease is over
MOST_STEPS = 200


def prepared(url: str) -> None:
    """Two pieces are due, and one only later."""
    with opened(url, Clock()) as store:
        register(store)
        Bench(store, Clock(), "in-process").plan(work("one"), work("two"), work("later", START + timedelta(days=1)))


def bench(url: str, name: Name) -> Iterator[Bench]:
    with opened(url, Clock(LATER)) as store:
        yield Bench(store, Clock(LATER), name, url)


def assert_done_once(url: str, name: Name) -> None:
    for one in bench(url, name):
        assert sorted(one.effects()) == ["one", "two"]
        assert one.states() == {"one": "done", "two": "done", "later": "scheduled"}
        with one.store.transaction(HOSPITAL, read_only=True) as tx:
            assert len(tx.outbox.entries()) == 2
        assert one.store.quarantine_entries(HOSPITAL) == []


def killed_everywhere(fresh: Callable[[], Iterator[str]], name: Name) -> int:
    """Each step in turn on a fresh copy of the database; how many steps there are."""
    for number in range(1, MOST_STEPS):
        for url in fresh():
            killed = killed_at(number, url, name, START)
            finish(url, name, LATER)
            assert_done_once(url, name)
        if not killed:
            return number - 1
    raise AssertionError(f"It did not come to an end within {MOST_STEPS} steps")


def test_in_process_on_sqlite(tmp_path: Path) -> None:
    prepared(sqlite_url(tmp_path))
    copies = iter(range(MOST_STEPS))

    def fresh() -> Iterator[str]:
        folder = tmp_path / str(next(copies))
        folder.mkdir()
        shutil.copy(tmp_path / "due.db", folder / "due.db")
        yield sqlite_url(folder)

    assert killed_everywhere(fresh, "in-process") >= 30


@pytest.mark.parametrize("name", ["in-process", "procrastinate"])
def test_on_postgresql(name: Name, postgres_url: str, postgres_template: str) -> None:
    with postgres.database(postgres_url, postgres_template) as url:
        prepared(url)

        def fresh() -> Iterator[str]:
            with postgres.database(postgres_url, str(make_url(url).database)) as copy:
                yield copy

        assert killed_everywhere(fresh, name) >= 30

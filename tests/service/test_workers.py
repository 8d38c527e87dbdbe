"""Several worker processes on one database: one leads, another takes over, and a dead tick is noticed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from fhir_adapters.store.leading import Leadership
from pathway.library import Library
from service import readiness
from service.app import create_app
from service.bootstrap import Services, open_store
from service.settings import Settings
from tests.service.conftest import Ask, asking, site

SETTINGS = {"PULL_SECONDS": "0.3", "PUSH_SECONDS": "0.3", "RELEASE_SECONDS": "0.3", "HOSPITAL_TIMEOUT_SECONDS": "1"}


@contextmanager
def worker(url: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    settings = {f"CALCINOSIS_PATHWAY_{name}": value for name, value in {**SETTINGS, "DATABASE_URL": url}.items()}
    command = [sys.executable, "-m", "service.cli", "worker"]
    with log.open("ab") as output, subprocess.Popen(command, stderr=output, env=os.environ | settings) as process:
        try:
            yield process
        finally:
            process.kill()


def until(found: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/service.db"
    return str(request.getfixturevalue("postgres_database"))


@pytest.fixture
def services(database_url: str, library: Library) -> Iterator[Services]:
    store = open_store(database_url)
    settings = Settings(database_url=database_url, hospital_timeout_seconds=1, pull_seconds=0.3)
    with httpx.Client(timeout=5) as http:
        yield Services(settings, store, library, http)
    store.engine.dispose()


@pytest.fixture
def ready(services: Services, closed_base: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], bool]:
    """Whether /readyz of a process without duties says so; a hospital is active."""
    monkeypatch.setattr(readiness, "LATE_SECONDS", 0.0)
    ask: Ask = asking(services, create_app(services, work=False))
    assert ask("POST", "/admin/v1/hospitals", json={"base_url": closed_base, "site": site()}).status_code == 201
    services.activate("north")
    return lambda: ask("GET", "/readyz").status_code == 200


def test_the_death_of_one_of_two_workers_is_survived_and_that_of_the_last_noticed(
    ready: Callable[[], bool], database_url: str, tmp_path: Path
) -> None:
    assert not ready()
    with worker(database_url, tmp_path / "1.log") as first, worker(database_url, tmp_path / "2.log") as second:
        until(ready)
        first.kill()
        first.wait()
        time.sleep(16)  # longer than a sign of life counts
        assert ready(), (tmp_path / "2.log").read_text()
        second.kill()
        second.wait()
        until(lambda: not ready())
    with worker(database_url, tmp_path / "3.log"):
        until(ready)


def test_one_process_leads_until_it_goes(postgres_database: str) -> None:
    stores = [open_store(postgres_database) for _ in range(2)]
    first, second = (Leadership(store.engine) for store in stores)
    assert [first.leads("north.pull"), first.leads("north.pull"), second.leads("north.pull")] == [True, True, False]
    assert [second.leads("north.sweep"), first.leads("north.sweep")] == [True, False]
    first.stop()
    assert [second.leads("north.pull"), first.leads("north.pull")] == [True, False]
    with stores[0].engine.begin() as connection:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
    with pytest.raises(Exception, match="terminat"):
        second.leads("north.pull")
    assert second.leads("north.pull")
    for leadership, store in zip((first, second), stores, strict=True):
        leadership.stop()
        store.engine.dispose()


def test_on_sqlite_every_process_leads(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/service.db")
    assert all(Leadership(store.engine).leads("north.pull") for _ in range(2))
    store.engine.dispose()

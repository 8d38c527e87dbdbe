"""Every engine on every store that it works on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_adapters.store.memory import MemoryStore
from tests.fhir_adapters.store.ticking import Clock
from tests.schedules.engines import Bench, opened, register, sqlite_url

DATABASES = ("sqlite in-process", "postgresql in-process", "postgresql procrastinate")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def made(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Bench]:
    where, _, engine = request.param.partition(" ")
    if where == "memory":
        memory = MemoryStore(clock)
        register(memory)
        yield Bench(memory, clock, engine)
        return
    url = sqlite_url(tmp_path) if where == "sqlite" else request.getfixturevalue("postgres_database")
    with opened(url, clock) as store:
        register(store)
        yield Bench(store, clock, engine, url)


@pytest.fixture(params=["memory in-process", *DATABASES])
def bench(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Bench]:
    """A hospital with a plan; nothing is due yet."""
    yield from made(request, tmp_path, clock)


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Bench]:
    """The same, on a database that several processes can open."""
    yield from made(request, tmp_path, clock)


@pytest.fixture(params=["postgresql procrastinate"])
def queue(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Bench]:
    """The same, with procrastinate."""
    yield from made(request, tmp_path, clock)

"""Both stores, with one demo hospital registered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_adapters.store.engine import create_engine
from fhir_adapters.store.memory import MemoryStore
from fhir_adapters.store.migrate import upgrade
from fhir_adapters.store.sql import SqlStore
from tests.fhir_adapters.store.ticking import Clock

BASE = "https://hospital.example/fhir"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sql(tmp_path: Path, clock: Clock) -> Iterator[SqlStore]:
    engine = create_engine(f"sqlite:///{tmp_path}/store.db")
    upgrade(engine)
    store = SqlStore(engine, clock)
    store.register("demo", "demo", BASE)
    yield store
    engine.dispose()


@pytest.fixture
def memory(clock: Clock) -> MemoryStore:
    store = MemoryStore(clock)
    store.register("demo", "demo", BASE)
    return store


@pytest.fixture(params=["memory", "sql"])
def store(request: pytest.FixtureRequest) -> SqlStore | MemoryStore:
    found: SqlStore | MemoryStore = request.getfixturevalue(request.param)
    return found

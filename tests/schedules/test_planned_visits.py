"""Which visits a calendar shows, over both stores."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fhir_adapters.store.engine import create_engine
from fhir_adapters.store.memory import MemoryStore
from fhir_adapters.store.migrate import upgrade
from fhir_adapters.store.sql import SqlStore
from pathway.codes import KEY_SYSTEM
from pathway.ports import Create, FhirServer, Resource
from pathway.situation import Now
from schedules.planned_visits import planned_visits

LONG_AGO = datetime(2025, 1, 7, 9, 0, tzinfo=UTC)
WIRE = datetime(2026, 3, 20, 9, 0, tzinfo=UTC)
NOW = Now(WIRE, WIRE)


class Clock:
    def __init__(self) -> None:
        self.now = LONG_AGO

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "sql"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[SqlStore | MemoryStore]:
    if request.param == "memory":
        yield MemoryStore(clock)
        return
    engine = create_engine(f"sqlite:///{tmp_path}/store.db")
    upgrade(engine)
    yield SqlStore(engine, clock)
    engine.dispose()


@pytest.fixture
def north(store: SqlStore | MemoryStore) -> FhirServer:
    store.register("north", "demo", "https://north.example/fhir")
    return store.repository("north")


def appointment(id: str, status: str, *actors: str, ours: bool = True, **more: Any) -> Resource:
    key = {"identifier": [{"system": KEY_SYSTEM, "value": f"north:r1:plan:visit:{id}"}]} if ours else {}
    participants = [{"actor": {"reference": actor}, "status": "accepted"} for actor in ("Patient/p1", *actors)]
    return {"resourceType": "Appointment", "id": id, "status": status, "participant": participants, **key, **more}


def booked(id: str, day: datetime, *actors: str, **more: Any) -> Resource:
    end = (day + timedelta(minutes=30)).isoformat()
    return appointment(id, "booked", *actors, start=day.isoformat(), end=end, **more)


def ids(server: FhirServer, actor: str | None = None) -> list[str]:
    return [visit["id"] for visit in planned_visits(server, NOW, actor)]


def test_what_was_lately_is_planned_or_waits(north: FhirServer, clock: Clock) -> None:
    lately, long_past = WIRE - timedelta(days=89), WIRE - timedelta(days=120)
    north.transact(
        [
            Create(booked("lately", lately)),
            Create(booked("long-past", long_past)),
            Create(booked("theirs", lately, ours=False)),
            Create(appointment("ahead", "cancelled", requestedPeriod=[{"start": "2027-01-05", "end": "2027-01-05"}])),
            Create(
                appointment("forgotten", "proposed", requestedPeriod=[{"start": "2025-01-20", "end": "2025-01-20"}])
            ),
            Create(appointment("waits", "waitlist")),
        ]
    )
    clock.now = WIRE - timedelta(days=1)
    north.transact([Create(appointment("withdrawn", "cancelled"))])
    assert ids(north) == ["ahead", "forgotten", "lately", "waits", "withdrawn"]


def test_somebodys_visits_are_only_theirs(north: FhirServer) -> None:
    day = WIRE + timedelta(days=7)
    north.transact(
        [
            Create(booked("a", day, "Practitioner/kim", "HealthcareService/hands")),
            Create(booked("b", day, "Practitioner/lee")),
            Create(booked("c", day, "PractitionerRole/kim")),
            Create(booked("d", day, "https://north.example/fhir/Practitioner/kim")),
        ]
    )
    assert ids(north) == ["a", "b", "c", "d"]
    assert ids(north, "Practitioner/kim") == ["a", "d"]
    assert ids(north, "PractitionerRole/kim") == ["c"]
    assert ids(north, "HealthcareService/hands") == ["a"]
    assert ids(north, "Practitioner/nobody") == []


def test_two_hospitals_never_mix(store: SqlStore | MemoryStore, north: FhirServer) -> None:
    store.register("south", "demo", "https://south.example/fhir")
    day = WIRE + timedelta(days=7)
    north.transact([Create(booked("n", day, "Practitioner/kim"))])
    store.repository("south").transact([Create(booked("s", day, "Practitioner/kim"))])
    assert [ids(store.repository(name), "Practitioner/kim") for name in ("north", "south")] == [["n"], ["s"]]

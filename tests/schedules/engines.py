"""A hospital's due work and an engine that does it, step by step: what is handed over, and what is worked off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import text

from fhir_adapters.store.engine import create_engine
from fhir_adapters.store.memory import MemoryStore
from fhir_adapters.store.migrate import upgrade
from fhir_adapters.store.sql import SqlStore
from pathway.due_work import Claim, DueWork
from pathway.intake import Pathway
from pathway.library import Library
from pathway.ports import Create, Resource, Transaction
from pathway.situation import Now
from pathway.writing import Effect
from schedules.calendar import OpenDays
from schedules.duties import release
from schedules.engine import Dispatcher, InProcess, Releasing
from schedules.places import ClinicPlaces
from schedules.procrastinate_engine import Procrastinate, queue_app
from tests.fhir_adapters.store.ticking import START, Clock
from tests.pathway.conftest import site

Name = Literal["in-process", "procrastinate"]
HOSPITAL = "north"
PLAN: Resource = {
    "resourceType": "CarePlan",
    "id": "plan",
    "status": "active",
    "intent": "plan",
    "subject": {"reference": "Patient/p1"},
}
PATIENT: Resource = {"resourceType": "Patient", "id": "p1"}
LIBRARY = Library.load()


class Recording(Pathway):
    """Applying a plan writes one Task that names its cause, in the transaction of the due work: an effect to count.

    A cause with the word poison fails.
    """

    def advance(self, tx: Transaction, care_plan: str, now: Now, cause: str) -> Effect:  # noqa: ARG002
        if "poison" in cause:
            raise LookupError
        task = {"resourceType": "Task", "status": "requested", "intent": "order", "description": cause}
        [written] = tx.transact([Create(task)])
        tx.send(written.reference)
        return Effect(created=(written.reference,))


def recording() -> Recording:
    its = site(HOSPITAL)
    return Recording(LIBRARY, its, partial(ClinicPlaces, its, OpenDays(its.calendar)))


def register(store: SqlStore | MemoryStore) -> None:
    """The hospital, a patient and a plan."""
    store.register(HOSPITAL, "demo", "https://north.example/fhir", site(HOSPITAL).model_dump(mode="json"))
    with store.transaction(HOSPITAL) as tx:
        for resource in (PATIENT, PLAN):
            tx.receive(resource, HOSPITAL)


def work(key: str, due_at: datetime = START, **more: Any) -> DueWork:
    """Its cause, and so its effect, is called by its key."""
    same = {"wall_time": "2026-03-02T10:00", "zone": "Europe/Berlin", "care_plan": "CarePlan/plan", "action": "a"}
    return DueWork(key, due_at=due_at, **({"kind": "start", "why": key, "payload": {"version": 1}} | same | more))


@dataclass
class Bench:
    """One process's view: its store and its engine."""

    store: SqlStore | MemoryStore
    clock: Clock
    name: Name
    url: str = ""
    clinical: datetime = START
    pathway: Pathway = field(default_factory=recording)
    _claims: list[Claim] = field(default_factory=list)

    def releasing(self) -> Releasing:
        return Releasing(self.store, lambda _: self.pathway, lambda _: self.now())

    def now(self) -> Now:
        return Now(self.clinical, self.clock())

    def engine(self) -> Dispatcher:
        return (
            Procrastinate(self.releasing(), self.url) if self.name == "procrastinate" else InProcess(self.releasing())
        )

    def plan(self, *works: DueWork) -> None:
        with self.store.transaction(HOSPITAL) as tx:
            for one in works:
                tx.due.plan(one)

    # An engine's two halves

    def take(self) -> int:
        """What is due is claimed, or handed over; nothing of it is done yet."""
        if self.name == "procrastinate":
            return self.engine().dispatch(HOSPITAL)
        claims = self.store.claim_due(HOSPITAL, self.clinical, release.BATCH, release.LEASE)
        self._claims += claims
        return len(claims)

    def work_off(self) -> None:
        """What was taken is done by this process, as far as it still holds."""
        if self.name == "procrastinate":
            engine = Procrastinate(self.releasing(), self.url)
            asyncio.run(worked_off(self.url, engine))
            return
        claims, self._claims = self._claims, []
        for claim in claims:
            self.releasing().release(claim)

    def run(self) -> None:
        """Until nothing more is due."""
        while self.take():
            self.work_off()
        self.work_off()

    def lease(self) -> timedelta:
        return timedelta(minutes=11) if self.name == "procrastinate" else release.LEASE + timedelta(seconds=1)

    # What there is

    def effects(self) -> list[str]:
        """What was done, in order."""
        found = self.store.repository(HOSPITAL).search("Task", [("_sort", "_lastUpdated"), ("_count", "1000")])
        prefix = "due: "
        done = [str(task.get("description", "")) for task in found.resources]
        return [cause.removeprefix(prefix) for cause in done if cause.startswith(prefix)]

    def rows(self) -> dict[str, DueWork]:
        with self.store.transaction(HOSPITAL, read_only=True) as tx:
            return {row.key: row for row in tx.due.of_plan("CarePlan/plan")}

    def states(self) -> dict[str, str]:
        return {key: row.state for key, row in self.rows().items()}

    def reviews(self) -> list[Resource]:
        """Tasks that ask a person."""
        found = self.store.repository(HOSPITAL).search("Task", [("_count", "1000")]).resources
        return [task for task in found if "reasonCode" in task]

    def jobs(self) -> list[tuple[str, int]]:
        """Status and attempts of procrastinate's jobs."""
        assert isinstance(self.store, SqlStore)
        with self.store.engine.connect() as connection:
            query = text("SELECT status::text, attempts FROM procrastinate_jobs ORDER BY id")
            return [(row[0], row[1]) for row in connection.execute(query)]

    def another(self) -> Bench:
        """Another process on the same database."""
        return replace(self, _claims=[])


async def worked_off(url: str, engine: Procrastinate, **options: Any) -> None:
    """A worker of its own that ends when the queue is empty."""
    app = queue_app(url, engine.work)
    async with app.open_async():
        await app.run_worker_async(
            queues=["due"], wait=False, install_signal_handlers=False, listen_notify=False, **options
        )


@contextmanager
def opened(url: str, clock: Callable[[], datetime]) -> Iterator[SqlStore]:
    """A store on a database that has, or gets, the schema of this version."""
    engine = create_engine(url)
    upgrade(engine)
    try:
        yield SqlStore(engine, clock)
    finally:
        engine.dispose()


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder}/due.db"

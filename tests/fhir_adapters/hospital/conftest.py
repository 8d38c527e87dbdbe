"""A hospital's server, a proxy before it that fails on demand, and our side of the exchange with it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from fhir_adapters.hospital.client import HospitalClient
from fhir_adapters.hospital.feed import Inflow
from fhir_adapters.hospital.inbound import Inbound
from fhir_adapters.hospital.outbound import Outbound
from fhir_adapters.server.app import fhir_app, fhir_routes
from fhir_adapters.server.door import Door
from fhir_adapters.store.engine import create_engine
from fhir_adapters.store.links import Link
from fhir_adapters.store.migrate import upgrade
from fhir_adapters.store.outbox import OutboxEntry
from fhir_adapters.store.sql import SqlStore
from pathway.codes import KEY_SYSTEM
from pathway.keys import id_of
from pathway.ports import Create, FhirServer, Key, Resource, Transaction, Update, search_all
from service.demo.booking import SCHEDULING
from tests.fhir_adapters.hospital.proxy import Proxy
from tests.fhir_adapters.store.ticking import Clock

HERE = "demo"
PATIENT = {"resourceType": "Patient", "id": "p1", "name": [{"family": "Berg"}]}
_numbers = count(1)


@contextmanager
def sql_store(path: Path, clock: Callable[[], datetime]) -> Iterator[SqlStore]:
    engine = create_engine(f"sqlite:///{path}")
    upgrade(engine)
    yield SqlStore(engine, clock)
    engine.dispose()


@contextmanager
def listening(app: Starlette) -> Iterator[str]:
    """The origin at which `app` answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, ws="none", lifespan="off", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@dataclass(frozen=True)
class Theirs:
    """A hospital's server of our making: over HTTP at `base`, and behind the scenes by `data`."""

    base: str
    data: FhirServer

    def holds(self, *resources: Resource) -> None:
        self.data.transact([Update(resource) for resource in resources])

    def changes(self, reference: str, **elements: Any) -> Resource:
        """As a clinician would, in the hospital's own system; None removes an element."""
        before = self.data.read(*reference.split("/"))
        after = {name: value for name, value in {**before, **elements}.items() if value is not None}
        return self.data.transact([Update(after)])[0].resource

    def all(self, type: str) -> list[Resource]:
        return list(search_all(self.data, type))

    def only(self, type: str) -> Resource:
        [resource] = self.all(type)
        return resource


@contextmanager
def web_server(folder: Path) -> Iterator[Callable[[], Theirs]]:
    """Opens a new, empty hospital at each call, all on one web server."""
    app = Starlette()
    with sql_store(folder / "hospitals.db", lambda: datetime.now(UTC)) as store, listening(app) as origin:

        def opened() -> Theirs:
            name = f"hospital-{next(_numbers)}"
            path = f"/{name}/fhir"
            store.register(name, "test", origin + path)
            door = Door(store, name, origin + path, lambda *_: None, lambda _: None, "test", operations=SCHEDULING)
            app.router.routes.extend(fhir_routes(path, fhir_app(door)))
            return Theirs(origin + path, store.repository(name))

        yield opened


@pytest.fixture(scope="session")
def hospitals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Theirs]]:
    with web_server(tmp_path_factory.mktemp("hospitals")) as opened:
        yield opened


@pytest.fixture
def our_server(hospitals: Callable[[], Theirs]) -> Theirs:
    theirs = hospitals()
    theirs.holds(PATIENT)
    return theirs


@pytest.fixture
def proxy(our_server: Theirs) -> Iterator[Proxy]:
    proxy = Proxy(our_server.base)
    yield proxy
    proxy.close()


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=10, trust_env=False) as client:
        yield client


@pytest.fixture
def client(proxy: Proxy, http: httpx.Client) -> HospitalClient:
    return HospitalClient(proxy.base, http)


@dataclass
class Ours:
    """Our store and what moves between it and the hospital behind the proxy; `reacted` is what we were told of."""

    store: SqlStore
    clock: Clock
    client: HospitalClient
    reacted: list[str] = field(default_factory=list)
    minded: Callable[[Resource], bool] = lambda _: True
    books_in: str | None = None

    @property
    def inbound(self) -> Inbound:
        return Inbound(self.store, HERE, self.client.base, self._react, lambda _, resource: self.minded(resource))

    @property
    def outbound(self) -> Outbound:
        return Outbound(self.store, HERE, self.client, self.inbound, self.clock, books_in=self.books_in)

    @property
    def inflow(self) -> Inflow:
        return Inflow(self.store, HERE, self.client, self.inbound, timedelta(minutes=10))

    def _react(self, _: Transaction, resource: Resource) -> None:
        self.reacted.append(f"{resource['resourceType']}/{resource['id']}")

    def writes(self, *resources: Resource, send: bool = True) -> None:
        """The pathway wrote these, and wants them at the hospital."""
        with self.store.transaction(HERE) as tx:
            for resource in resources:
                reference = tx.transact([Update(resource)])[0].reference
                if send:
                    tx.send(reference)

    def changes(self, resource: Resource, **elements: Any) -> None:
        self.writes({**self.read(resource), **elements})

    def read(self, resource: Resource) -> Resource:
        return self.store.repository(HERE).read(resource["resourceType"], resource["id"])

    def knows(self, *resources: Resource) -> None:
        """What the hospital sent us earlier."""
        with self.store.transaction(HERE) as tx:
            for resource in resources:
                tx.receive(resource, self.client.base)

    def push(self, rounds: int = 1, **forward: float) -> int:
        """Empty the outbox, again after each step of the clock; how many arrived."""
        arrived = self.outbound.run()
        for _ in range(rounds - 1):
            self.clock.forward(**(forward or {"seconds": 1}))
            arrived += self.outbound.run()
        return arrived

    def entry(self, resource: Resource) -> OutboxEntry:
        with self.store.transaction(HERE) as tx:
            entry = tx.outbox.entry(resource["resourceType"], resource["id"])
        assert entry is not None
        return entry

    def open_entries(self) -> list[str]:
        """What still waits to be sent, or was put aside."""
        with self.store.transaction(HERE) as tx:
            return [entry.reference for entry in tx.outbox.entries() if entry.state != "done"]

    def state(self, resource: Resource) -> str:
        return self.entry(resource).state

    def link(self, resource: Resource) -> Link:
        link = self.store.link(HERE, resource["resourceType"], resource["id"])
        assert link is not None
        return link

    def quarantine(self) -> list[tuple[str, str]]:
        """What was put aside, as (reason, reference)."""
        return [(entry.reason, entry.reference) for entry in self.store.quarantine_entries(HERE)]

    def why(self) -> str:
        """The explanation of the only entry in quarantine."""
        [entry] = self.store.quarantine_entries(HERE)
        return entry.explanation


@pytest.fixture
def ours(tmp_path: Path, proxy: Proxy, client: HospitalClient) -> Iterator[Ours]:
    clock = Clock()
    with sql_store(tmp_path / "store.db", clock) as store:
        store.register(HERE, "test", proxy.base)
        ours = Ours(store, clock, client)
        ours.knows(PATIENT)
        yield ours


def authored(type: str, name: str, **elements: Any) -> Resource:
    """A resource of ours, with the key `name` and the id that follows from it."""
    key = Key(KEY_SYSTEM, name)
    return {"resourceType": type, "id": id_of(type, key), "identifier": [key.identifier()], **elements}


def care_plan(*activity: Resource, **elements: Any) -> Resource:
    listed = [{"reference": {"reference": f"{r['resourceType']}/{r['id']}"}} for r in activity]
    same = {"status": "active", "intent": "plan", "subject": {"reference": "Patient/p1"}}
    return authored("CarePlan", "plan", **same, **({"activity": listed} if listed else {}), **elements)


def task(name: str = "task", **elements: Any) -> Resource:
    same = {"status": "requested", "intent": "order", "for": {"reference": "Patient/p1"}}
    return authored("Task", name, **{**same, **elements})


def create(server: FhirServer, resource: Resource) -> Resource:
    return server.transact([Create(resource)])[0].resource

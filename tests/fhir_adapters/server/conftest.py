"""One web server for all tests; each test has a hospital and a FHIR base of its own on it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from fhir_adapters.server.app import fhir_app, fhir_routes
from fhir_adapters.server.door import Door
from fhir_adapters.server.operation import Operation
from fhir_adapters.store.engine import create_engine
from fhir_adapters.store.migrate import upgrade
from fhir_adapters.store.sql import SqlStore
from pathway.errors import InvalidResource
from pathway.issues import Issue
from pathway.ports import Resource, Transaction

JSON = "application/fhir+json"
FORBIDDEN_NOTE = "refuse this"
_numbers = count(1)


@dataclass
class Base:
    """A client of one hospital's base, and what its door saw."""

    http: httpx.Client
    store: SqlStore
    hospital: str
    url: str
    reacted: list[str] = field(default_factory=list)
    reaction: Callable[[Transaction, Resource], None] | None = None

    def react(self, tx: Transaction, resource: Resource) -> None:
        self.reacted.append(f"{resource['resourceType']}/{resource['meta']['versionId']}")
        if self.reaction is not None:
            self.reaction(tx, resource)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.http.get(self.url + path, headers=_named(headers))

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self._send("POST", path, body, headers)

    def put(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self._send("PUT", path, body, headers)

    def delete(self, path: str, **headers: str) -> httpx.Response:
        return self.http.delete(self.url + path, headers=_named(headers))

    def total(self, type: str, query: str = "") -> int:
        found: int = self.get(f"/{type}?_summary=count&{query}").json()["total"]
        return found

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> httpx.Response:
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        return self.http.request(method, self.url + path, headers={"Content-Type": JSON} | _named(headers), **content)


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def patient(value: str = "", **members: Any) -> Resource:
    identifiers = {"identifier": [{"system": "http://hospital.example/mrn", "value": value}]} if value else {}
    return {"resourceType": "Patient", **identifiers, **members}


def refuse_note(resource: Resource) -> None:
    if any(note.get("text") == FORBIDDEN_NOTE for note in resource.get("note", [])):
        raise InvalidResource([Issue("error", "business-rule", "This note is not accepted", "Task.note")])


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    folder: Path = tmp_path_factory.mktemp("fhir-server")
    engine = create_engine(f"sqlite:///{folder}/store.db")
    upgrade(engine)
    yield SqlStore(engine, lambda: datetime.now(UTC))
    engine.dispose()


@pytest.fixture(scope="session")
def host() -> Iterator[tuple[Starlette, str]]:
    app = Starlette()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, ws="none", lifespan="off", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield app, f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


Opener = Callable[..., Base]


@pytest.fixture
def open_base(store: SqlStore, host: tuple[Starlette, str]) -> Iterator[Opener]:
    app, origin = host
    with httpx.Client() as http:

        def opened(token: str | None = None, operations: tuple[Operation, ...] = ()) -> Base:
            hospital = f"hospital-{next(_numbers)}"
            url = f"{origin}/hospitals/{hospital}/fhir"
            store.register(hospital, "test", url)
            base = Base(http, store, hospital, url)
            door = Door(store, hospital, url, base.react, refuse_note, "0.1.0", token, operations)
            app.router.routes.extend(fhir_routes(f"/hospitals/{hospital}/fhir", fhir_app(door)))
            return base

        yield opened


@pytest.fixture
def base(open_base: Opener) -> Base:
    return open_base()

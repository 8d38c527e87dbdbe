"""The hospital: a FHIR server of ours over the memory store, reached by real HTTP messages without a socket."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any
from unittest.mock import patch

import httpx
from starlette.applications import Starlette

from fhir_adapters.server.app import fhir_app, fhir_routes
from fhir_adapters.server.door import Door
from fhir_adapters.store.memory import MemoryStore
from fhir_adapters.store.memory_state import State
from fhir_adapters.store.rows import Version
from pathway.keys import key_of
from pathway.ports import Resource, Update
from tests.faults.mishaps import Killed, Mishap, Mishaps

BASE = "http://hospital.test/fhir"
PEOPLE = "people"
LAG = timedelta(minutes=5)  # how far a copy of the hospital lags behind at most: less than the overlap of a pull
_NAME = "hospital"


@dataclass(frozen=True)
class Manners:
    """How its server differs from ours. `stale`: its answer to a stale If-Match. `by_time`: it says what changed of
    every type, else of orders and operations only, and the rest is read patient by patient."""

    stale: int = 412
    by_time: bool = True


class Hospital:
    """`clock` is the hospital's own."""

    def __init__(self, clock: Callable[[], datetime], manners: Manners) -> None:
        self._clock, self.manners = clock, manners
        self.store = MemoryStore(clock)
        self.store.register(_NAME, "test", BASE)
        door = Door(self.store, _NAME, BASE, lambda *_: None, lambda _: None, "test")
        self._app: Any = Starlette(routes=fhir_routes("/fhir", fhir_app(door)))
        self._past: list[tuple[datetime, State]] = [(clock(), self._state)]

    @property
    def _state(self) -> State:
        return self.store.state(_NAME)

    def puts(self, resource: Resource) -> Resource:
        """As people do, in the hospital's own system."""
        with _knows_no_keys(), self.store.transaction(_NAME, actor=PEOPLE) as tx:
            written = tx.transact([Update(resource)])[0].resource
        self._past.append((self._clock(), self._state))
        return written

    def changes(self, resource: Resource, **elements: object) -> Resource:
        return self.puts({**self.read(resource["resourceType"], resource["id"]), **elements})

    def read(self, type: str, id: str) -> Resource:
        return self._state.versions[type, id][-1].resource()

    def all(self, type: str) -> list[Resource]:
        """The current versions, in the order in which they were created."""
        return [v[-1].resource() for (t, _), v in self._state.versions.items() if t == type and not v[-1].deleted]

    def ours(self, type: str, action: str = "") -> list[Resource]:
        """What carries a key of ours; `action` is any part of it."""
        found = [(key.value, resource) for resource in self.all(type) if (key := key_of(resource))]
        return [resource for value, resource in found if not action or action in value.split(":")]

    def histories(self) -> list[tuple[Version, ...]]:
        """Of every resource, oldest version first."""
        return list(self._state.versions.values())

    def answer(self, request: httpx.Request, *, lagging: bool = False) -> httpx.Response:
        """What the server's own code answers; `lagging`: from a copy that has not seen the last minutes."""
        now, present = self._clock(), self._state
        if lagging:
            before = [state for at, state in self._past if at <= now - LAG]
            self.store._states[_NAME] = before[-1] if before else self._past[0][1]
        try:
            response = self._mannered(request, self._asked(request))
        finally:
            if lagging:
                self.store._states[_NAME] = present
        if self._state is not present:
            self._past.append((now, self._state))
        response.headers["date"] = format_datetime(now, usegmt=True)
        return response

    def _mannered(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if response.status_code == 412 and "if-match" in request.headers:
            return httpx.Response(self.manners.stale, headers=response.headers, content=response.content)
        if request.url.path.endswith("/metadata") and not self.manners.by_time:
            statement = response.json()
            for offered in statement["rest"][0]["resource"]:
                if offered["type"] not in ("ServiceRequest", "Procedure"):
                    searched = [p for p in offered["searchParam"] if p["name"] != "_lastUpdated"]
                    offered["searchParam"] = searched
            return httpx.Response(200, json=statement)
        return response

    def _asked(self, request: httpx.Request) -> httpx.Response:
        """Nothing in the server waits, so there is no event loop: its coroutine runs through at once."""
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": request.content, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        at_once = patch("fhir_adapters.server.app.run_in_threadpool", _at_once)
        with at_once, _knows_no_keys(), suppress(StopIteration):
            self._app(_scope(request), receive, send).send(None)
        [start, *body] = sent
        content = b"".join(message.get("body", b"") for message in body)
        return httpx.Response(start["status"], headers=start["headers"], content=content)


def _knows_no_keys() -> AbstractContextManager[object]:
    """To a hospital our key is an identifier like any other: nothing but a condition keeps it from having two."""
    return patch("fhir_adapters.store.interactions.KEY_SYSTEM", "")


async def _at_once(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)


def _scope(request: httpx.Request) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.partition(b"?")[0],
        "root_path": "",
        "query_string": request.url.query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 1),
        "server": (request.url.host, 80),
    }


class Line(httpx.BaseTransport):
    """One worker's connection to the hospital, on which its mishaps happen. `gap` is called between two requests."""

    def __init__(self, hospital: Hospital, mishaps: Mishaps, gap: Callable[[], None]) -> None:
        self._hospital = hospital
        self._mishaps = mishaps
        self._gap = gap

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._gap()
        mishap = self._mishaps.passing("request")
        if mishap is None and request.method != "GET":
            mishap = self._mishaps.passing("write")
        answer = self._answer(request, mishap)
        self._gap()
        return answer

    def _answer(self, request: httpx.Request, mishap: Mishap | None) -> httpx.Response:
        kind = mishap.kind if mishap else ""
        if kind == "killed before a request":
            raise Killed
        if kind == "request lost":
            raise httpx.ConnectError(kind, request=request)
        if kind.startswith("answered with") and not kind.endswith("done"):
            return httpx.Response(int(kind.split()[-1]), json={"resourceType": "OperationOutcome", "issue": []})
        lags = kind == "answered from a copy that lags behind" and request.method == "GET"
        answer = self._hospital.answer(request, lagging=lags)
        if kind == "killed before the answer":
            raise Killed
        if kind in ("answer lost", "write done and its answer lost"):
            raise httpx.ReadTimeout(kind, request=request)
        if kind == "answered with 500 though done":
            return httpx.Response(500, json={"resourceType": "OperationOutcome", "issue": []})
        return answer

"""A hospital on a bad day: a proxy on loopback that passes everything on, but for the faults it was told."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import httpx

from pathway.ports import Resource

_HOST = "127.0.0.1"
_KEPT = ("content-type", "location", "content-location", "etag", "last-modified", "date", "retry-after")


@dataclass(frozen=True)
class Asked:
    """One request; `type` is the first segment behind the base: a resource type, `metadata` or nothing."""

    method: str
    target: str
    type: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def resource(self) -> Resource:
        found: Resource = json.loads(self.body)
        return found

    @property
    def query(self) -> str:
        return urlsplit(self.target).query


@dataclass(frozen=True)
class Answer:
    """What goes back, None where the connection is cut instead."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


Forward = Callable[..., Answer]
Fault = Callable[[Asked, Forward], Answer | None]


def passes(asked: Asked, forward: Forward) -> Answer:
    return forward(asked)


def answers(status: int, text: str = "", **headers: str) -> Fault:
    """The proxy answers; the server never hears of it."""
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "x", "diagnostics": text}]}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda *_: Answer(status, named, json.dumps(outcome).encode())


def cut(asked: Asked, forward: Forward) -> None:
    """The connection ends before the server hears of the request."""


def cut_after(asked: Asked, forward: Forward) -> None:
    """The server did it; the connection ends before its answer is back."""
    forward(asked)


def late(seconds: float) -> Fault:
    """The server did it; its answer takes its time."""

    def wait(asked: Asked, forward: Forward) -> Answer:
        answer = forward(asked)
        time.sleep(seconds)
        return answer

    return wait


def without_body(asked: Asked, forward: Forward) -> Answer:
    answer = forward(asked)
    return Answer(answer.status, answer.headers)


def everything(asked: Asked, forward: Forward) -> Answer:
    """A server that ignores search parameters and returns all rows."""
    return forward(asked, target=f"{urlsplit(asked.target).path}?_count=500")


def altered(change: Callable[[Resource], None], **headers: str) -> Fault:
    """The answer's JSON as `change` leaves it."""

    def alter(asked: Asked, forward: Forward) -> Answer:
        answer = forward(asked)
        resource = json.loads(answer.body)
        change(resource)
        return Answer(answer.status, {**answer.headers, **headers}, json.dumps(resource).encode())

    return alter


def offering(**offers: Mapping[str, Any]) -> Fault:
    """A CapabilityStatement in which a type, or `every` other one, is described by these elements instead."""

    def change(statement: Resource) -> None:
        for each in statement["rest"][0]["resource"]:
            each.update(offers.get(each["type"], offers.get("every", {})))

    return altered(change)


def next_page(url: str) -> Fault:
    """The bundle goes on at `url`."""
    return altered(lambda bundle: bundle.update(link=[{"relation": "next", "url": url}]))


class Proxy:
    """Stands before the FHIR base `target`, whose address it replaces by its own in every answer."""

    def __init__(self, target: str) -> None:
        self._origin = urlsplit(target)._replace(path="").geturl()
        self._path = urlsplit(target).path
        self._faults: list[list[Any]] = []
        self._client = httpx.Client(timeout=30, trust_env=False)
        self.requests: list[Asked] = []
        self._port = 0
        self.up()

    @property
    def base(self) -> str:
        return f"http://{_HOST}:{self._port}{self._path}"

    def once(self, method: str, type: str, fault: Fault, times: int = 1) -> None:
        """The next `times` requests of this method and type meet `fault`; earlier orders go first."""
        self._faults.append([method, type, fault, times])

    def always(self, method: str, type: str, fault: Fault) -> None:
        self.once(method, type, fault, times=1_000_000)

    def heal(self) -> None:
        self._faults.clear()

    def asked(self, *methods: str) -> list[str]:
        """What was asked for so far, as `METHOD Type`, without the CapabilityStatement."""
        return [f"{r.method} {r.type}" for r in self.requests if r.method in methods and r.type != "metadata"]

    def down(self) -> None:
        """Nobody listens any more."""
        self._server.shutdown()
        self._server.server_close()

    def up(self) -> None:
        self._server = ThreadingHTTPServer((_HOST, self._port), partial(_Handler, self))
        self._port = self._server.server_port
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.down()
        self._client.close()

    def answer(self, asked: Asked) -> Answer | None:
        self.requests.append(asked)
        for order in self._faults:
            if order[:2] == [asked.method, asked.type] and order[3] > 0:
                order[3] -= 1
                fault: Fault = order[2]
                return fault(asked, self._forward)
        return self._forward(asked)

    def type_in(self, target: str) -> str:
        return urlsplit(target).path.removeprefix(self._path).strip("/").split("/")[0]

    def _forward(self, asked: Asked, target: str | None = None) -> Answer:
        headers = {name: value for name, value in asked.headers.items() if name not in ("host", "connection")}
        url = self._origin + (target or asked.target)
        response = self._client.request(asked.method, url, headers=headers, content=asked.body)
        kept = {n: self._ours(response.headers[n]) for n in _KEPT if n in response.headers}
        return Answer(response.status_code, kept, self._ours(response.text).encode())

    def _ours(self, text: str) -> str:
        return text.replace(self._origin, f"http://{_HOST}:{self._port}")


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, proxy: Proxy, *args: Any) -> None:
        self._proxy = proxy
        super().__init__(*args)

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline()
        if not self.raw_requestline or not self.parse_request():
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        asked = Asked(self.command, self.path, self._proxy.type_in(self.path), headers, body)
        answer = self._proxy.answer(asked)
        if answer is not None:
            self._send(answer)

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in {**answer.headers, "content-length": str(len(answer.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

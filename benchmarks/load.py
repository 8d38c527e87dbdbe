"""A bounded number of keep-alive connections that ask one server the same kind of question for some seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from itertools import count
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks.measure import Sample, timed_elsewhere
from benchmarks.servers import Server

_TIMEOUT = 60.0
_HEADERS = {"Accept": "application/fhir+json", "Content-Type": "application/fhir+json"}


class Ask(NamedTuple):
    """One request: method, path below the FHIR base, and body."""

    method: str
    path: str
    body: bytes | None = None


class UnexpectedAnswer(Exception):
    """The server did not do what is measured."""


def load(server: Server, ask: Callable[[int], Ask], connections: int, seconds: float) -> Sample:
    """Ask for `seconds` over `connections`; `ask` gets a number that no other request of this call has."""
    numbers = count()
    until = time.perf_counter() + seconds

    def work() -> tuple[int, Sequence[float]]:
        with ThreadPoolExecutor(connections) as pool:
            workers = [pool.submit(_asking, server, ask, numbers, until) for _ in range(connections)]
            latencies = [latency for worker in workers for latency in worker.result()]
        return len(latencies), latencies

    return timed_elsewhere(server.pids, work)


def _asking(server: Server, ask: Callable[[int], Ask], numbers: count[int], until: float) -> list[float]:
    """At least one request, however long it takes."""
    address = urlsplit(server.base)
    connection = HTTPConnection(address.netloc, timeout=_TIMEOUT)
    latencies: list[float] = []
    try:
        while not latencies or time.perf_counter() < until:
            question = ask(next(numbers))
            began = time.perf_counter()
            connection.request(question.method, address.path + question.path, question.body, _HEADERS)
            answer = connection.getresponse()
            content = answer.read()
            latencies.append(time.perf_counter() - began)
            if answer.status not in (200, 201):
                raise UnexpectedAnswer(f"{question.method} {question.path}: {answer.status} {content[:300]!r}")
    finally:
        connection.close()
    return latencies

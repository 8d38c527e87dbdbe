"""The servers that are compared, each a process of its own: ours on SQLite, and HAPI where Java is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import httpx

from benchmarks.measure import children_of
from fhir_adapters.store.content import encode
from pathway.ports import Resource
from service.demo.processes import free_port, hospital_process
from tests.servers import hapi

# The test servers' HAPI stops at the first compiler to start soon; a measured one may use the second as well.
_JAVA_OPTIONS = {"_JAVA_OPTIONS": "-XX:TieredStopAtLevel=4"}
_TIMEOUT = 60.0
_JSON = {"Content-Type": "application/fhir+json"}


@dataclass(frozen=True)
class Server:
    """A FHIR base and the processes that answer there."""

    base: str
    pids: tuple[int, ...]

    def put(self, *resources: Resource) -> None:
        """Each resource under its own id."""
        with httpx.Client(timeout=_TIMEOUT, trust_env=False) as client:
            for resource in resources:
                url = f"{self.base}/{resource['resourceType']}/{resource['id']}"
                client.put(url, content=encode(resource), headers=_JSON).raise_for_status()

    def get(self, path: str) -> Resource:
        """What the server answers, as JSON."""
        answer = httpx.get(f"{self.base}{path}", timeout=_TIMEOUT, trust_env=False).raise_for_status()
        found: Resource = answer.json()
        return found


@contextmanager
def our_hospital() -> Iterator[Server]:
    """`calcinosis-pathway hospital`, SQLite with synchronous=FULL."""
    with TemporaryDirectory(prefix="calcinosis-pathway-bench-") as name:
        process = hospital_process(Path(name), free_port())
        process.start()
        try:
            yield Server(process.url, (listening_child(process.url),))
        finally:
            process.stop()


@contextmanager
def hapi_server() -> Iterator[Server]:
    """HAPI's JPA server on H2 in memory."""
    before = {name: os.environ.get(name) for name in _JAVA_OPTIONS}
    os.environ.update(_JAVA_OPTIONS)
    try:
        with hapi.running() as base:
            yield Server(base, (listening_child(base),))
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def listening_child(url: str) -> int:
    """The process we started with the port of `url` on its command line."""
    port = str(urlsplit(url).port)
    for pid in children_of(os.getpid()):
        if port in Path(f"/proc/{pid}/cmdline").read_text().split("\0"):
            return pid
    raise LookupError(f"No process of ours serves {url}")

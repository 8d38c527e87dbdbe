"""Simulations that are asked for over REST: one at a time, each in a process of its own, so that no duty waits."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from threading import Lock, Thread
from typing import Any, Literal
from uuid import uuid4

import msgspec
import structlog

from pathway.errors import Conflict, NotFound
from pathway.library import Library
from pathway.ports import Resource
from pathway.site import Site
from service.simulation.changing import changed, usable
from service.simulation.scenario import Scenario

_KEPT = 20  # results, in memory: whoever wants one later asks again, the same seed gives the same
_LONGEST = 1800.0  # seconds
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Asked:
    """What goes to the other process, as JSON."""

    definitions: list[Resource]
    site: dict[str, Any]
    scenario: dict[str, Any]
    changes: list[str]


_WRITER = msgspec.json.Encoder(decimal_format="number")
_READER = msgspec.json.Decoder(Asked, float_hook=Decimal)


def written(asked: Asked) -> bytes:
    """For the other process; decimals stay numbers."""
    return _WRITER.encode(asked)


def read(body: bytes) -> Asked:
    """What was written for this process; numbers with a point are decimals."""
    return _READER.decode(body)


@dataclass(frozen=True)
class Result:
    """What comes back: what was found with its picture (SVG), or the problem as a sentence."""

    found: dict[str, Any] | None = None
    picture: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Job:
    """One simulation; `began` and `ended` are on the wire clock."""

    id: str
    hospital: str
    scenario: Scenario
    changes: Sequence[str]
    began: datetime
    state: Literal["running", "done", "failed"] = "running"
    ended: datetime | None = None
    result: Result = Result()


@dataclass
class Simulations:
    """Of this process; another one does not know them."""

    clock: Callable[[], datetime]
    _jobs: dict[str, Job] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None
    _lock: Lock = field(default_factory=Lock)

    def start(self, library: Library, site: Site, scenario: Scenario, changes: Sequence[str]) -> Job:
        """Raises Refused for a rule that cannot be changed so and an incomplete site, Conflict while another runs."""
        usable(site, library)
        changed(site, library, changes)
        asked = Asked(library.resources(), site.model_dump(mode="json"), scenario.model_dump(mode="json"), [*changes])
        with self._lock:
            if any(job.state == "running" for job in self._jobs.values()):
                raise Conflict("A simulation is running: ask again when it has ended")
            job = Job(str(uuid4()), site.hospital, scenario, tuple(changes), self.clock())
            self._process = subprocess.Popen(
                [sys.executable, "-m", "service.simulation"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            self._jobs = dict([*self._jobs.items(), (job.id, job)][-_KEPT:])
        body = written(asked)
        Thread(target=self._wait, args=(job, self._process, body), name="simulation", daemon=True).start()
        return job

    def job(self, hospital: str, id: str) -> Job:
        """Raises NotFound."""
        job = self._jobs.get(id)
        if job is None or job.hospital != hospital:
            raise NotFound(f"There is no simulation {id} of {hospital}, or it is not kept any more")
        return job

    def of(self, hospital: str) -> list[Job]:
        """Those that are kept, oldest first."""
        return [job for job in self._jobs.values() if job.hospital == hospital]

    def stop(self) -> None:
        """End the one that runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()

    def _wait(self, job: Job, process: subprocess.Popen[bytes], body: bytes) -> None:
        try:
            found, _ = process.communicate(body, timeout=_LONGEST)
            result = msgspec.json.decode(found, type=Result)
        except subprocess.TimeoutExpired:
            process.kill()
            result = Result(problem=f"It took longer than {_LONGEST:.0f} seconds: ask for fewer patients")
        except (OSError, msgspec.DecodeError) as error:
            _log.error("simulation.failed", error=type(error).__name__)
            result = Result(problem="The simulation ended without a result; the service's log says why")
        state: Literal["done", "failed"] = "failed" if result.problem else "done"
        with self._lock:
            self._jobs[job.id] = replace(job, state=state, ended=self.clock(), result=result)

"""Steps of the default story a second, with and without HTTP; and due work released on one busy day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from benchmarks.busy_day import unrecorded_surgeries
from benchmarks.clinic import Clinic, new_clinic
from benchmarks.course import Course, play
from benchmarks.measure import Comparison, Sample, interleaved, run_of, timed, timed_elsewhere
from benchmarks.servers import listening_child
from fhir_adapters.hospital.client import HospitalClient
from pathway.library import Library
from pathway.situation import Now
from schedules.duties.release import BATCH, LEASE
from service.demo.processes import running
from service.demo.stage import Stage, StoryFailed
from service.demo.story import STORIES
from service.demo.story import play as perform

_TIMEOUT = 60.0


def compare(rounds: int, patients: int) -> Iterator[Comparison]:
    """A round is a whole story each way, then a batch of the `patients` whose work is due."""
    library = Library.load()
    _without_http(library)
    real, direct = interleaved(rounds, _with_http, lambda: _without_http(library))
    note = "the service waits on purpose: it looks every 0.2 to 0.3 s; the CPU is that of service and hospital"
    yield Comparison("Steps of the default story, real processes", "the same in process, no HTTP", real, direct, note)
    with new_clinic(library) as clinic:
        yield _busy_day(clinic, rounds, patients)


def _with_http() -> Sample:
    story = STORIES["default"]
    with (
        TemporaryDirectory(prefix="calcinosis-pathway-bench-") as name,
        running(Path(name), None) as (service, base, desk),
        httpx.Client(timeout=_TIMEOUT) as http,
        httpx.Client(base_url=f"{service.url}/admin/v1", timeout=_TIMEOUT) as admin,
    ):
        stage = Stage(HospitalClient(base, http), admin, story.clinic, story.days, alerts=lambda: desk.received)

        def work() -> tuple[int, list[float]]:
            played = perform(story, stage, lambda _: None)
            if not played.ok:
                raise StoryFailed(played.steps[-1].text)
            return len(played.steps), []

        return timed_elsewhere([listening_child(service.url), listening_child(base)], work)


def _without_http(library: Library) -> Sample:
    with new_clinic(library) as clinic:
        return timed(lambda: play(Course(clinic, 0)))


def _busy_day(clinic: Clinic, rounds: int, patients: int) -> Comparison:
    """Each patient gets a Task for the coordinator."""
    unrecorded_surgeries(clinic, patients)
    released, closed = interleaved(
        min(rounds, patients // (2 * BATCH)), run_of(lambda: _released(clinic)), run_of(lambda: _closed(clinic))
    )
    clinic.ours("Task", "rule-surgery-unknown", Course(clinic, 0).patient)
    what = f"Due work claimed and released, {patients} patients due on one day"
    return Comparison(what, "floor: claimed and closed only", released, closed, f"a round is a batch of {BATCH}")


def _released(clinic: Clinic) -> int:
    return clinic.release(_OneBatch(clinic))


def _closed(clinic: Clinic) -> int:
    claims = clinic.store.claim_due(clinic.name, clinic.clinical, BATCH, LEASE)
    for claim in claims:
        with clinic.store.transaction(clinic.name) as tx:
            tx.due.finish(claim, "done")
    return len(claims)


@dataclass
class _OneBatch:
    """Clocks by which nothing more is due once a batch was released."""

    clinic: Clinic
    looks: int = 0

    def __call__(self) -> Now:
        self.looks += 1
        now = self.clinic.now()
        return now if self.looks <= 1 + BATCH else Now(self._before(), now.wire)

    def _before(self) -> datetime:
        return self.clinic.clinical - timedelta(days=1)

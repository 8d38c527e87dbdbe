"""The service and its duties as two processes, on either database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from fhir_adapters.hospital.client import HospitalClient
from service.demo.processes import DutyDesk, Process, free_port, hospital_process, service_process
from service.demo.stage import Stage
from service.demo.story import STORIES, play
from tests.service.test_stories import assert_exactly_one_of_everything, told


@contextmanager
def two_processes(folder: Path, **settings: str) -> Iterator[Stage]:
    """`serve --no-worker` and `worker` beside it, with our own server as the hospital."""
    story, desk = STORIES["default"], DutyDesk()
    hospital = hospital_process(folder, free_port())
    service = service_process(folder, desk, free_port(), **settings)
    service.arguments.append("--no-worker")
    worker = Process(["worker"], service.url, service.alive, folder / "worker.log", service.environment)
    try:
        for process in (hospital, service, worker):
            process.start()
        with (
            httpx.Client(base_url=f"{service.url}/admin/v1", timeout=60) as admin,
            httpx.Client(timeout=60) as http,
        ):
            yield Stage(HospitalClient(hospital.url, http), admin, story.clinic, story.days)
    finally:
        for process in (worker, service, hospital):
            process.stop()
        desk.close()


def assert_plays(stage: Stage) -> None:
    played = play(STORIES["default"], stage, lambda _: None)
    assert played.ok, told(played)
    assert_exactly_one_of_everything(stage)


def test_on_sqlite(tmp_path: Path) -> None:
    with two_processes(tmp_path) as stage:
        assert_plays(stage)


def test_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    with two_processes(tmp_path, DATABASE_URL=postgres_url) as stage:
        assert_plays(stage)

"""The service and its duties as two processes, on either database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from sqlalchemy import create_engine, text

from fhir_adapters.hospital.client import HospitalClient
from service.demo.acts import Act
from service.demo.processes import DutyDesk, Process, free_port, hospital_process, service_process
from service.demo.stage import Stage
from service.demo.story import STORIES, play
from tests.service.test_stories import assert_exactly_one_of_everything, told


@contextmanager
def separate_processes(folder: Path, workers: int = 1, **settings: str) -> Iterator[tuple[Stage, list[Process]]]:
    """`serve --no-worker` and each `worker` beside it, with our own server as the hospital."""
    story, desk = STORIES["default"], DutyDesk()
    hospital = hospital_process(folder, free_port())
    service = service_process(folder, desk, free_port(), **settings)
    service.arguments.append("--no-worker")
    at_work = [
        Process(["worker"], service.url, service.alive, folder / f"worker-{number}.log", service.environment)
        for number in range(workers)
    ]
    try:
        for process in (hospital, service, *at_work):
            process.start()
        with (
            httpx.Client(base_url=f"{service.url}/admin/v1", timeout=60) as admin,
            httpx.Client(timeout=60) as http,
        ):
            yield Stage(HospitalClient(hospital.url, http), admin, story.clinic, story.days), at_work
    finally:
        for process in (*at_work, service, hospital):
            process.stop()
        desk.close()


def assert_plays(stage: Stage, before: Callable[[Act], None] = lambda _: None) -> None:
    played = play(STORIES["default"], stage, lambda _: None, before)
    assert played.ok, told(played)
    assert_exactly_one_of_everything(stage)


def test_on_sqlite(tmp_path: Path) -> None:
    with separate_processes(tmp_path) as (stage, _):
        assert_plays(stage)


def test_on_postgresql(tmp_path: Path, postgres_database: str) -> None:
    with separate_processes(tmp_path, DATABASE_URL=postgres_database) as (stage, _):
        assert_plays(stage)
        assert finished_jobs(postgres_database) > 0


def test_on_postgresql_in_process(tmp_path: Path, postgres_database: str) -> None:
    with separate_processes(tmp_path, DATABASE_URL=postgres_database, ENGINE="in-process") as (stage, _):
        assert_plays(stage)
        assert finished_jobs(postgres_database) == 0


def test_with_three_workers_of_which_one_dies_in_every_act(tmp_path: Path, postgres_database: str) -> None:
    with separate_processes(tmp_path, 3, DATABASE_URL=postgres_database) as (stage, workers):

        def before(_: Act) -> None:
            workers.append(workers.pop(0))
            workers[-1].kill()
            workers[-1].start()

        assert_plays(stage, before)


def finished_jobs(url: str) -> int:
    engine = create_engine(url)
    with engine.connect() as connection:
        count = connection.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'"))
    engine.dispose()
    return int(count or 0)

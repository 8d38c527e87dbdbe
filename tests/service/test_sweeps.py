"""The sweep over a real database: what SQL takes away behind the service's back comes back; and who may ask for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import text
from typer.testing import CliRunner

from pathway.keys import key_of
from pathway.ports import Resource, search_all
from service import sweeps
from service.bootstrap import Services
from service.cli import app as command_line
from service.sweeps import Sweeps
from tests.service.conftest import Ask, arrive, condition, patient, referral
from tests.service.test_admin_patients import operated

_TABLES = ("search_value", "identity", "outbox", "resource", "resource_version")


@pytest.fixture
def command() -> Iterator[CliRunner]:
    """The command line sends the logs to its own stderr, which ends with it."""
    yield CliRunner()
    structlog.reset_defaults()


@pytest.fixture
def active(services: Services, enrolled: str) -> str:
    """A hospital whose patient was operated on two days ago."""
    services.activate("north")
    operated(services, enrolled)
    return "north"


def visit(services: Services) -> Resource:
    """The Task for the follow-up visit."""
    [found] = [t for t in search_all(services.store.repository("north"), "Task") if is_visit(t)]
    return found


def is_visit(task: Resource) -> bool:
    key = key_of(task)
    return key is not None and "fu-first-visit" in key.value.split(":")


def lose(services: Services, task: Resource) -> None:
    """As if it had never been written."""
    with services.store.engine.begin() as connection:
        for table in _TABLES:
            connection.execute(text(f"DELETE FROM {table} WHERE type = 'Task' AND id = :id"), {"id": task["id"]})


def due(services: Services) -> list[tuple[Any, ...]]:
    with services.store.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text("SELECT key, due_at, state FROM due ORDER BY key"))]


def figures(report: dict[str, Any]) -> dict[str, int]:
    return {name: value for name, value in report.items() if isinstance(value, int) and value}


def test_what_was_deleted_behind_the_services_back_is_healed(ask: Ask, services: Services, active: str) -> None:
    task, planned = visit(services), due(services)
    assert ask("GET", f"/hospitals/{active}/sweep").status_code == 404
    before = ask("POST", f"/hospitals/{active}/sweep").json()
    assert figures(before) == {"plans": 1, "surgeries": 1, "planned": 1, "inside": 1}
    assert before["missing"] == 0

    lose(services, task)
    with services.store.engine.begin() as connection:
        assert connection.execute(text("DELETE FROM due WHERE state = 'scheduled'")).rowcount > 0
    healed = ask("POST", f"/hospitals/{active}/sweep").json()
    assert figures(healed) == {"plans": 1, "surgeries": 1, "planned": 1, "inside": 1, "mended": 1}
    again = visit(services)
    assert (again["id"], again["restriction"], again["status"]) == (task["id"], task["restriction"], "requested")
    assert due(services) == planned

    entries = ask("GET", f"/hospitals/{active}/quarantine").json()["quarantine"]
    assert [entry["reason"] for entry in entries] == ["sweep-mended"]
    assert ask("GET", f"/hospitals/{active}/sweep").json() == healed
    assert ask("GET", f"/hospitals/{active}?reach=false").json()["sweep"] == healed


def test_the_duty_sweeps_at_the_start_and_then_when_its_time_has_come(services: Services, active: str) -> None:
    timetable = services.timetable()
    lose(services, visit(services))
    timetable.run_due(now=True)
    first = services.sweeps.last(active)
    assert first is not None
    assert (first.mended, first.missing) == (1, 0)
    lose(services, visit(services))
    timetable.run_due(now=True)
    assert services.sweeps.last(active) == first
    hurried = Sweeps(services.store, services.pathway, services.now, timedelta())
    for _ in range(2):
        hurried.turn(active)
    last = services.sweeps.last(active)
    assert last is not None
    assert last.began > first.began
    assert visit(services)


def test_what_another_process_swept_lately_is_not_swept_again(services: Services, active: str) -> None:
    hour = timedelta(hours=1)
    here, there = (Sweeps(services.store, services.pathway, services.now, hour) for _ in range(2))
    assert here.turn(active) > 0
    here._next[active] -= hour
    there.round(active)
    assert here.turn(active) == 0


def test_a_long_round_goes_on_slice_by_slice(services: Services, active: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for id in ("p2", "p3"):
        arrive(services, active, patient(id), condition(id), referral(id))
    monkeypatch.setattr(sweeps, "SLICE_SECONDS", 0.0)
    assert [services.sweeps.turn(active) for _ in range(3)] == [1, 1, 1]
    assert services.sweeps.last(active) is None
    services.sweeps.turn(active)
    services.sweeps.turn(active)
    report = services.sweeps.last(active)
    assert report is not None
    assert (report.plans, report.surgeries, report.missing) == (3, 1, 0)


def test_a_sweep_that_is_at_work_is_a_conflict(
    ask: Ask, services: Services, active: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "_PATIENCE", 0.05)
    entered, gate = threading.Event(), threading.Event()

    def steps(_: str) -> Iterator[sweeps.Report]:
        entered.set()
        gate.wait(30)
        yield sweeps.Report(active, services.now(active).wire, services.now(active).wire)

    monkeypatch.setattr(services.sweeps, "_steps", steps)
    working = threading.Thread(target=services.sweeps.round, args=(active,))
    working.start()
    assert entered.wait(30)
    busy = ask("POST", f"/hospitals/{active}/sweep")
    gate.set()
    working.join()
    assert busy.status_code == 409
    assert busy.headers["content-type"] == "application/problem+json"
    assert ask("POST", f"/hospitals/{active}/sweep").status_code == 200


def test_nothing_is_written_for_a_hospital_that_is_not_active(ask: Ask, registered: str) -> None:
    answered = ask("POST", f"/hospitals/{registered}/sweep")
    assert (answered.status_code, "not active" in answered.json()["detail"]) == (422, True)
    assert ask("POST", "/hospitals/nowhere/sweep").status_code == 404


def test_a_plan_that_fails_is_in_quarantine_and_the_command_line_fails(
    ask: Ask,
    services: Services,
    active: str,
    command: CliRunner,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("CALCINOSIS_PATHWAY_DATABASE_URL", f"sqlite:///{tmp_path}/service.db")
    swept = command.invoke(command_line, ["sweep", active])
    assert (swept.exit_code, swept.stdout.startswith("north: 0 missing. 1 plans, 1 surgeries: 1 with")) == (0, True)
    with services.store.engine.begin() as connection:
        spoiled = (
            "UPDATE resource SET content = replace(content, '/PlanDefinition/', '/Nothing/') WHERE type = 'CarePlan'"
        )
        assert connection.execute(text(spoiled)).rowcount == 1
    swept = command.invoke(command_line, ["sweep", active])
    assert (swept.exit_code, "1 failed" in swept.stdout) == (1, True)
    assert "Nobodysname" not in swept.output
    entries = ask("GET", f"/hospitals/{active}/quarantine").json()["quarantine"]
    assert [entry["reason"] for entry in entries] == ["sweep-failed"]

"""What machines ask: a sign of life, whether the duties are done, and numbers without patients."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import text

from pathway.ports import Alert
from service.app import create_app
from service.bootstrap import Services, wire_clock
from tests.service.conftest import Ask, asking
from tests.service.test_admin_patients import operated

_SAMPLE = re.compile(r'^(?P<name>[a-z_]+)\{(?P<labels>[a-z]+="[^"\\]*"(?:,[a-z]+="[^"\\]*")*)\} (?P<value>[0-9.e+]+)$')


@pytest.fixture
def app(services: Services) -> FastAPI:
    return create_app(services, work=False)


@pytest.fixture
def probe(services: Services, app: FastAPI) -> Ask:
    return asking(services, app)


def later(services: Services, monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """The wire clock goes ahead."""
    monkeypatch.setattr(services.store, "_clock", lambda: wire_clock() + by)


def test_without_an_active_hospital_there_is_nothing_to_be_late_with(probe: Ask, registered: str) -> None:
    assert registered
    answered = probe("GET", "/readyz")
    assert (answered.status_code, answered.json()["status"], answered.json()["lacking"]) == (200, "ready", [])


def test_an_active_hospital_needs_a_worker(probe: Ask, services: Services, registered: str) -> None:
    services.activate(registered)
    answered = probe("GET", "/readyz")
    assert answered.status_code == 503
    every = [f"north.{duty} has not run yet" for duty in ("pull", "release", "push", "alert", "slots", "sweep")]
    assert answered.json()["lacking"] == every
    assert probe("GET", "/healthz").json()["status"] == "ok"


def test_a_tick_that_stopped_is_noticed_and_its_return_too(
    probe: Ask, services: Services, registered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.activate(registered)
    services.timetable().run_due()
    assert probe("GET", "/readyz").status_code == 200
    with monkeypatch.context() as patched:
        later(services, patched, timedelta(seconds=90))
        assert probe("GET", "/readyz").status_code == 200
    later(services, monkeypatch, timedelta(minutes=10))
    answered = probe("GET", "/readyz")
    assert answered.status_code == 503
    assert re.fullmatch(
        r"north\.pull last ran 6\d\d seconds ago; its turn comes every 5 seconds", answered.json()["lacking"][0]
    )
    assert probe("GET", "/healthz").status_code == 200
    monkeypatch.undo()
    services.timetable().run_due()
    assert probe("GET", "/readyz").status_code == 200


def test_a_paused_hospital_is_late_with_nothing(probe: Ask, services: Services, registered: str) -> None:
    services.activate(registered)
    services.store.set_status(registered, "paused")
    assert probe("GET", "/readyz").status_code == 200


def test_a_database_of_another_schema_is_named(probe: Ask, services: Services) -> None:
    with services.store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    answered = probe("GET", "/readyz")
    assert answered.status_code == 503
    assert answered.json()["lacking"][0].startswith("The database is at schema 9999, this version works with ")


def test_a_database_that_does_not_answer_is_named(probe: Ask, services: Services) -> None:
    with services.store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE heartbeat RENAME TO gone"))
    answered = probe("GET", "/readyz")
    assert answered.status_code == 503
    assert answered.json()["lacking"] == ["The database does not answer (OperationalError)"]


def samples(exposition: str) -> dict[tuple[str, str], float]:
    """Every value by name and labels; each line is checked against the format."""
    found, described = {}, set()
    assert exposition.endswith("\n")
    for line in exposition.splitlines():
        kind = re.fullmatch(r"# (HELP|TYPE) (calcinosis_pathway_[a-z_]+) (.+)", line)
        if kind:
            described.add(kind[2])
            assert kind[1] == "HELP" or kind[3] == "gauge"
            continue
        sample = _SAMPLE.match(line)
        assert sample, line
        assert sample["name"] in described
        place = (sample["name"].removeprefix("calcinosis_pathway_"), sample["labels"])
        assert place not in found
        found[place] = float(sample["value"])
    return found


def test_the_numbers_of_a_hospital(probe: Ask, services: Services, enrolled: str) -> None:
    services.activate("north")
    operated(services, enrolled)
    services.timetable().run_due()
    with services.store.transaction("north") as tx:
        tx.alert(Alert("flag-fever", "urgent", "Task/t1"))
    answered = probe("GET", "/metrics")
    assert answered.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = samples(answered.text)
    north = 'hospital="north"'
    expected = {"surgeries": 1, "planned": 1, "inside": 1, "missing": 0, "mended": 0, "failed": 0}
    assert {name: found[f"sweep_{name}", north] for name in expected} == expected
    assert found["due_rows", f'{north},state="scheduled"'] > 0
    assert found["outbox_rows", f'{north},state="waiting"'] > 0
    assert found["alerts_unanswered", north] == 1
    assert found["oldest_due_age_seconds", north] == 0
    assert found["hospital_active", north] == 1
    ages = [found["heartbeat_age_seconds", f'{north},duty="{duty}"'] for duty in ("pull", "release", "push", "sweep")]
    assert all(0 <= age < 60 for age in ages)


def test_no_patient_is_in_the_numbers(probe: Ask, services: Services, enrolled: str) -> None:
    services.activate("north")
    operated(services, enrolled)
    services.timetable().run_due()
    exposed = probe("GET", "/metrics").text + probe("GET", "/readyz").text
    assert not any(word in exposed for word in ("Nobodysname", "p1", enrolled, "op1", "Patient", "CarePlan/"))
    labels = {label for _, labels in samples(probe("GET", "/metrics").text) for label in re.findall(r'(\w+)="', labels)}
    assert labels == {"hospital", "state", "duty"}


def test_due_work_that_waits_has_an_age(probe: Ask, services: Services, enrolled: str) -> None:
    operated(services, enrolled)
    services.store.advance("north", timedelta(days=3))
    assert samples(probe("GET", "/metrics").text)["oldest_due_age_seconds", 'hospital="north"'] > 3600


def test_with_a_token_the_numbers_ask_for_it(services: Services) -> None:
    settings = services.settings.model_copy(update={"bearer_token": SecretStr("s3cret")})
    guarded = Services(settings, services.store, services.library, services.http, None)
    ask = asking(guarded, create_app(guarded, work=False))
    assert ask("GET", "/metrics").status_code == 401
    assert ask("GET", "/metrics", headers={"Authorization": "Bearer s3cret"}).status_code == 200
    assert ask("GET", "/readyz").status_code == 200
    assert ask("POST", "/metrics", headers={"Authorization": "Bearer s3cret"}).status_code == 405

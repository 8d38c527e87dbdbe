"""An outage is kept when the service is back, and its report names what was late and whom to call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from fhir_adapters.store.engine import create_engine
from fhir_adapters.store.migrate import upgrade
from fhir_adapters.store.sql import SqlStore
from pathway import codes
from pathway.library import Library
from pathway.ports import Resource, Update
from pathway.situation import Now
from schedules.duties import release
from service.bootstrap import Services
from service.demo.records import answer, response
from service.downtimes import as_json, reports
from service.settings import Settings
from tests.service.conftest import asking, condition, operation, patient, referral, site

SURGERY = date(2026, 3, 9)


class Moving:
    """A wire clock that stands where it was set."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Moving:
    return Moving()


@pytest.fixture
def services(tmp_path: Path, library: Library, clock: Moving) -> Iterator[Services]:
    """On a clock of its own, so that an outage of days takes no time."""
    engine = create_engine(f"sqlite:///{tmp_path}/service.db")
    upgrade(engine)
    store = SqlStore(engine, clock)
    with httpx.Client(timeout=5) as http:
        yield Services(Settings(bearer_token=None), store, library, http)
    engine.dispose()


@pytest.fixture
def hospital(services: Services, closed_base: str) -> str:
    from pathway.site import Site  # noqa: PLC0415

    services.register(Site.model_validate(site()), closed_base)
    return "north"


class AtWork:
    """The service while it runs: what the hospital records is answered, and due work released."""

    def __init__(self, services: Services, clock: Moving) -> None:
        self.services, self.clock = services, clock

    def now(self) -> Now:
        return Now(self.clock.now, self.clock.now)

    def until(self, moment: datetime, step: timedelta = timedelta(hours=6)) -> None:
        """Release and give signs of life on the way; no gap is longer than a step."""
        while self.clock.now < moment:
            self.clock.now = min(self.clock.now + step, moment)
            self.tick()

    def tick(self) -> None:
        release.run(self.services.store, self.services.pathway("north"), self.now)
        for duty in ("pull", "release", "push"):
            self.services.store.heartbeat(f"north.{duty}", "done: 0", timedelta(hours=7) if duty != "push" else None)

    def record(self, *resources: Resource) -> None:
        for resource in resources:
            with self.services.store.transaction("north") as tx:
                written = tx.transact([Update(resource)])[0].resource
                self.services.pathway("north").react(tx, written, self.now())

    def of(self, type: str, action: str) -> Resource:
        found = self.services.store.repository("north").search(type, [("patient", "Patient/p1")]).resources
        return next(r for r in found if action in str(r.get("identifier")))


@pytest.fixture
def work(services: Services, clock: Moving, hospital: str) -> AtWork:  # noqa: ARG001 - it has to be registered
    """A patient whose surgery is ordered and booked for 9 March."""
    at_work = AtWork(services, clock)
    decided = answer("dec-record-outcome", valueCoding={"system": codes.DECISION, "code": "surgery"})
    at = clock.now.isoformat()
    decision = response(codes.SHARED_DECISION, "Patient/p1", "Practitioner/surgeon", at, [decided])
    at_work.record(patient(), condition(), referral(), {**decision, "id": "decision"})
    order = at_work.of("ServiceRequest", "proc-excision")
    at_work.record({**order, "status": "active", "occurrenceDateTime": SURGERY.isoformat()})
    at_work.tick()
    return at_work


def operated(work: AtWork) -> None:
    work.record(operation(work.of("ServiceRequest", "proc-excision"), SURGERY))


def booked(work: AtWork, day: date) -> None:
    visit = work.of("Appointment", "fu-first-visit-appointment")
    hours = {"start": f"{day}T10:00:00+01:00", "end": f"{day}T11:00:00+01:00"}
    work.record({**visit, "status": "booked", **hours})


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def test_without_a_gap_there_is_no_downtime(work: AtWork, services: Services) -> None:
    work.until(at(12))
    assert services.store.downtimes("north") == []
    assert reports(services, "north") == []


def test_reminders_suppressed_by_an_outage_lead_to_a_call(
    work: AtWork, services: Services, clock: Moving, hospital: str
) -> None:
    work.until(at(9))
    operated(work)
    booked(work, date(2026, 3, 19))
    work.until(at(15))
    clock.now = at(19, 9)  # from the 15th to the beginning of the visit nothing ran: both reminders fell into it
    work.tick()
    [report] = reports(services, hospital)
    found = report.consequences
    assert report.downtime.duty == "pull, release"
    assert (report.downtime.began, report.downtime.ended) == (at(15), at(19, 9))
    fates = {one.work.action: one.fate for one in found.affected}
    assert fates["fu-attend-all-3d"] in ("late", "suppressed")
    assert {"fu-attend-all-3d", "fu-attend-all-1d"} <= fates.keys()
    [call] = found.calls
    assert call.by == date(2026, 3, 19)
    assert call.task is not None and call.task.startswith("Task/")
    assert any("booked for 2026-03-19" in why for why in call.why)


def test_a_surgery_that_became_known_only_afterwards_is_called_about(
    work: AtWork, services: Services, clock: Moving, hospital: str
) -> None:
    work.until(at(8))
    clock.now = at(18)
    operated(work)
    work.tick()
    [report] = reports(services, hospital)
    [call] = report.consequences.calls
    assert any("caught up" in why for why in call.why)
    assert any("not booked" in why for why in call.why)
    assert reports(services, hospital, since=at(19)) == []


def test_the_report_over_rest_has_references_and_no_names(
    work: AtWork, services: Services, clock: Moving, hospital: str
) -> None:
    work.until(at(8))
    clock.now = at(18)
    operated(work)
    work.tick()
    ask = asking(services)
    answered = ask("GET", f"/hospitals/{hospital}/downtimes")
    assert answered.status_code == 200, answered.text
    [found] = answered.json()["downtimes"]
    assert found["duties"] == ["pull", "release"]
    assert found["calls"][0]["care_plan"].startswith("CarePlan/")
    path = found["calls"][0]["link"].partition("/admin/v1")[2]
    assert ask("GET", path).status_code == 200
    assert "Nobodysname" not in answered.text and "Patient/" not in answered.text
    assert ask("GET", f"/hospitals/{hospital}/downtimes?since=2026-03-19T00:00:00Z").json() == {"downtimes": []}
    assert ask("GET", f"/hospitals/{hospital}/downtimes?since=yesterday").status_code == 422
    assert ask("GET", "/hospitals/nowhere/downtimes").status_code == 404
    json.dumps(as_json(reports(services, hospital)[0], "https://service.example"))


def test_the_service_keeps_the_gap_of_what_plans_follow_ups(services: Services, clock: Moving, hospital: str) -> None:
    for duty in ("pull", "release", "push"):
        services.alive(f"{hospital}.{duty}", "done: 0")
    clock.now += timedelta(seconds=services.settings.downtime_seconds + 1)
    for duty in ("pull", "release", "push"):
        services.alive(f"{hospital}.{duty}", "done: 0")
    assert sorted(one.duty for one in services.store.downtimes(hospital)) == ["pull", "release"]

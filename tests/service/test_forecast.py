"""The forecast of a registered hospital, from what its store has."""

from __future__ import annotations

from datetime import date, timedelta
from io import StringIO
from xml.etree import ElementTree

import pytest
from rich.console import Console

from pathway import codes
from pathway.ports import Resource
from service.bootstrap import Services
from service.demo.records import answer, response
from service.forecasts import forecast_of, shown
from tests.service.conftest import Ask, arrive, condition, operation, patient, referral


def of(services: Services, type: str, action: str) -> Resource:
    found = services.store.repository("north").search(type, [("patient", "Patient/p1")]).resources
    return next(r for r in found if action in str(r.get("identifier")))


@pytest.fixture
def surgery(services: Services, registered: str) -> date:
    """A patient whose surgery is ordered for three days from now; its day."""
    now = services.store.clinical_now(registered)
    outcome = answer("dec-record-outcome", valueCoding={"system": codes.DECISION, "code": "surgery"})
    decision = response(codes.SHARED_DECISION, "Patient/p1", "Practitioner/surgeon", now.isoformat(), [outcome])
    arrive(services, registered, patient(), condition(), referral(), {**decision, "id": "decision"})
    day = now.date() + timedelta(days=3)
    order = of(services, "ServiceRequest", "proc-excision")
    arrive(services, registered, {**order, "status": "active", "occurrenceDateTime": day.isoformat()})
    return day


def operated(services: Services, day: date) -> None:
    arrive(services, "north", operation(of(services, "ServiceRequest", "proc-excision"), day))


def test_a_surgery_ahead_is_expected_in_its_window(services: Services, registered: str, surgery: date) -> None:
    found = forecast_of(services, registered)
    [window] = found.windows
    assert (window.first, window.last) == (surgery + timedelta(days=7), surgery + timedelta(days=14))
    [expected] = [day for day in found.days if day.expected]
    assert window.first <= expected.day <= window.last
    assert sum(day.proposed + day.booked for day in found.days) == 0


def test_after_the_surgery_it_is_proposed_and_then_booked(services: Services, registered: str, surgery: date) -> None:
    services.store.advance(registered, timedelta(days=4))
    operated(services, surgery)
    [proposed] = [day for day in forecast_of(services, registered).days if day.proposed]
    visit = of(services, "Appointment", "fu-first-visit-appointment")
    hours = {"start": f"{proposed.day}T10:00:00+01:00", "end": f"{proposed.day}T11:00:00+01:00"}
    arrive(services, registered, {**visit, "status": "booked", **hours})
    found = forecast_of(services, registered)
    assert [day.day for day in found.days if day.booked] == [proposed.day]
    assert sum(day.proposed + day.expected for day in found.days) == 0
    assert found.windows == []


def test_over_rest_it_is_counts_only(ask: Ask, registered: str, surgery: date) -> None:
    answered = ask("GET", f"/hospitals/{registered}/forecast?weeks=4")
    assert answered.status_code == 200, answered.text
    assert len(answered.json()["days"]) == 28
    assert answered.json()["windows"][0]["first"] == (surgery + timedelta(days=7)).isoformat()
    for said in ("Patient/", "CarePlan/", "Nobodysname"):
        assert said not in answered.text
    drawn = ask("GET", f"/hospitals/{registered}/forecast/picture")
    assert drawn.headers["Content-Type"].startswith("image/svg+xml")
    ElementTree.fromstring(drawn.text)
    assert ask("GET", f"/hospitals/{registered}/forecast?weeks=0").status_code == 422
    assert ask("GET", "/hospitals/nowhere/forecast").status_code == 404


def test_people_read_it_on_the_terminal(services: Services, registered: str, surgery: date) -> None:
    written = StringIO()
    Console(width=100, file=written).print(shown(forecast_of(services, registered)))
    text = written.getvalue()
    assert "Every visit that is to come will find a place" in text
    assert f"{surgery + timedelta(days=7):%d %b} to" in text

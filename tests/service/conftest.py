"""The admin REST over a real database, with a hospital whose server is not there."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from fastapi import FastAPI

from pathway import codes
from pathway.library import Library
from pathway.ports import Resource, Update
from service.admin.app import admin_app
from service.bootstrap import Services, open_store
from service.settings import Settings

ROLES = ("surgeon", "coordinator", "primary-care", "anesthesia", "alerts")
REFERRAL = {"system": "https://hospital.example/orders", "code": "plastic-surgery-referral"}
CALCINOSIS = {"system": codes.SNOMED, "code": "6595006"}
Ask = Callable[..., httpx.Response]


def site(**changes: Any) -> dict[str, Any]:
    """A registration's `site`, complete unless changed."""
    return {
        "hospital": "north",
        "kind": "demo",
        "zone": "Europe/Berlin",
        "roles": {role: {"reference": f"Practitioner/{role}"} for role in ROLES},
        "referral_codes": [REFERRAL],
        "surgery_codes": [{"system": codes.PROCEDURE, "code": "calcinosis-excision"}],
        "calcinosis_codes": [CALCINOSIS],
        **changes,
    }


@pytest.fixture(scope="session")
def library() -> Library:
    return Library.load()


@pytest.fixture
def closed_base() -> str:
    """A FHIR base on a port of this machine where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/fhir"


@pytest.fixture
def services(tmp_path: Path, library: Library) -> Iterator[Services]:
    store = open_store(f"sqlite:///{tmp_path}/service.db")
    settings = Settings(database_url=f"sqlite:///{tmp_path}/service.db", bearer_token=None)
    with httpx.Client(timeout=5) as http:
        yield Services(settings, store, library, http)
    store.engine.dispose()


def asking(services: Services, app: FastAPI | None = None) -> Ask:
    """A caller of the admin REST of these services: `ask(method, path, **httpx options)`."""
    app = app or admin_app(services, services.timetable())

    def ask(method: str, path: str, **options: Any) -> httpx.Response:
        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://admin") as client:
                return await client.request(method, path, **options)

        return anyio.run(call)

    return ask


@pytest.fixture
def ask(services: Services) -> Ask:
    return asking(services)


@pytest.fixture
def registered(ask: Ask, closed_base: str) -> str:
    """The name of a registered hospital, not active."""
    answered = ask("POST", "/hospitals", json={"base_url": closed_base, "site": site()})
    assert answered.status_code == 201, answered.text
    return "north"


def arrive(services: Services, name: str, *resources: Resource) -> None:
    """Each resource arrives at our own door."""
    for resource in resources:
        with services.store.transaction(name) as tx:
            written = tx.transact([Update(resource)])[0]
            services.react(name, tx, written.resource)


def patient(id: str = "p1") -> Resource:
    return {"resourceType": "Patient", "id": id, "name": [{"family": "Nobodysname", "given": ["Erna"]}]}


def condition(patient: str = "p1") -> Resource:
    return {
        "resourceType": "Condition",
        "id": f"c-{patient}",
        "code": {"coding": [CALCINOSIS], "text": "Erna Nobodysname's calcinosis"},
        "subject": {"reference": f"Patient/{patient}", "display": "Erna Nobodysname"},
        "recordedDate": "2026-02-27",
    }


def referral(patient: str = "p1") -> Resource:
    return {
        "resourceType": "ServiceRequest",
        "id": f"r-{patient}",
        "status": "active",
        "intent": "order",
        "code": {"coding": [REFERRAL]},
        "subject": {"reference": f"Patient/{patient}", "display": "Erna Nobodysname"},
        "reasonReference": [{"reference": f"Condition/c-{patient}"}],
        "authoredOn": "2026-03-02T08:00:00+01:00",
    }


def operation(order: Resource, day: date) -> Resource:
    """The record of the operation that was ordered for the first patient."""
    return {
        "resourceType": "Procedure",
        "id": "procedure",
        "status": "completed",
        "code": {"coding": [{"system": codes.PROCEDURE, "code": "calcinosis-excision"}]},
        "subject": {"reference": "Patient/p1"},
        "basedOn": [{"reference": f"ServiceRequest/{order['id']}"}],
        "performedDateTime": day.isoformat(),
    }


@pytest.fixture
def enrolled(services: Services, registered: str) -> str:
    """The id of the CarePlan of a patient who was referred to the registered hospital."""
    arrive(services, registered, patient(), condition(), referral())
    plans = services.store.repository(registered).search("CarePlan", [("patient", "Patient/p1")]).resources
    return str(plans[0]["id"])

"""Operations that a door offers besides FHIR's own."""

from __future__ import annotations

import anyio
import httpx
import pytest
from starlette.applications import Starlette

from fhir_adapters.server.app import fhir_app, fhir_routes
from fhir_adapters.server.door import Door, Operation
from fhir_adapters.store.memory import MemoryStore
from pathway.ports import Resource, Transaction, Update
from tests.fhir_adapters.store.ticking import Clock

BASE = "https://service.example/fhir"
DEFINITION = "https://service.example/OperationDefinition/echo"


def echo(tx: Transaction, id: str) -> Resource:
    patient = tx.read("Patient", id)
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": "family", "valueString": patient["name"][0]["family"]}],
    }


class Client:
    def __init__(self, app: Starlette) -> None:
        self._app = app

    def get(self, path: str) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(self._app), base_url="https://service.example"
            ) as c:
                return await c.get(path)

        return anyio.run(ask)


@pytest.fixture
def client() -> Client:
    store = MemoryStore(Clock())
    store.register("demo", "demo", "https://hospital.example/fhir")
    patient = {"resourceType": "Patient", "id": "p1", "name": [{"family": "Berg"}]}
    store.repository("demo").transact([Update(patient)])
    operation = Operation("echo", "Patient", DEFINITION, echo)
    door = Door(store, "demo", BASE, lambda *_: None, lambda _: None, "1", operations=(operation,))
    return Client(Starlette(routes=fhir_routes("/fhir", fhir_app(door))))


def test_it_answers_for_an_instance_of_its_type(client: Client) -> None:
    answer = client.get("/fhir/Patient/p1/$echo")
    assert (answer.status_code, answer.json()["parameter"]) == (200, [{"name": "family", "valueString": "Berg"}])


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("/fhir/Patient/p2/$echo", 404, "not-found"), ("/fhir/Task/p1/$echo", 405, "not-supported")],
)
def test_elsewhere_it_is_an_operation_outcome(client: Client, path: str, status: int, code: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (status, code)


def test_the_statement_names_it_for_its_type_only(client: Client) -> None:
    resources = client.get("/fhir/metadata").json()["rest"][0]["resource"]
    offering = {r["type"] for r in resources if {"name": "echo", "definition": DEFINITION} in r.get("operation", [])}
    assert offering == {"Patient"}

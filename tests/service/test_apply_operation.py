"""$apply over REST: on the type and on the instance, by GET and by POST, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import anyio
import httpx
import pytest

from fhir_adapters.r4.admission import render
from fhir_adapters.server.app import fhir_app
from fhir_adapters.server.door import Door
from fhir_adapters.store.memory import MemoryStore
from pathway.codes import PLAN
from pathway.library import Library
from pathway.ports import Resource, Transaction
from service.applying import apply_operations
from tests.pathway.conftest import Clinic, WireClock

INSTANCE = "/PlanDefinition/calcinosis-excision-pathway/$apply"
TYPE = "/PlanDefinition/$apply"
ACTIVITY = "/ActivityDefinition/fu-first-visit/$apply"
Call = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def content() -> Library:
    return Library.load()


@pytest.fixture
def clinic(content: Library) -> Clinic:
    """A hospital with one patient who was referred."""
    wire = WireClock()
    clinic = Clinic(MemoryStore(wire), wire, content)
    clinic.enrolled()
    return clinic


@pytest.fixture
def call(clinic: Clinic) -> Call:
    """Asks the hospital's base: GET, or POST of parameters."""
    operations = apply_operations(lambda: clinic.pathway, clinic.now)

    def react(_tx: Transaction, _resource: Resource) -> None:
        raise AssertionError("nothing is written here")

    app = fhir_app(Door(clinic.store, "north", "http://north", react, clinic.pathway.check, "1", None, operations))

    async def asked(path: str, parameters: list[Resource] | None) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://north") as client:
            if parameters is None:
                return await client.get(path)
            body = render({"resourceType": "Parameters", "parameter": parameters})
            return await client.post(path, content=body, headers={"content-type": "application/fhir+json"})

    return lambda path, parameters=None: anyio.run(partial(asked, path, parameters))


def subject(reference: str = "Patient/p1") -> Resource:
    return {"name": "subject", "valueString": reference}


def test_a_plan_by_get_on_the_instance(call: Call, clinic: Clinic) -> None:
    before = clinic.everything()
    answer = call(f"{INSTANCE}?subject=Patient/p1&practitioner=Practitioner/okafor")
    assert answer.status_code == 200
    care_plan = answer.json()
    assert (care_plan["resourceType"], care_plan["status"], care_plan["intent"]) == ("CarePlan", "draft", "proposal")
    assert care_plan["author"] == {"reference": "Practitioner/okafor"}
    assert clinic.everything() == before


@pytest.mark.parametrize(
    "named",
    [
        [{"name": "canonical", "valueCanonical": f"{PLAN}|0.1.0"}],
        [{"name": "url", "valueUri": PLAN}],
        [{"name": "url", "valueUri": PLAN}, {"name": "version", "valueString": "0.1.0"}],
    ],
)
def test_a_plan_by_its_canonical_on_the_type(call: Call, named: list[Resource]) -> None:
    answer = call(TYPE, [*named, subject()])
    assert answer.json()["instantiatesCanonical"] == [f"{PLAN}|0.1.0"]


def test_a_plan_that_comes_with_the_question(call: Call, content: Library) -> None:
    given = {**content.plan_as_written(PLAN), "id": "brought", "url": f"{PLAN}-brought"}
    answer = call(TYPE, [{"name": "planDefinition", "resource": given}, subject()])
    assert answer.json()["instantiatesCanonical"] == [f"{PLAN}-brought|0.1.0"]


def test_a_real_hospital_applies_its_own_signed_content_only(call: Call, clinic: Clinic, content: Library) -> None:
    site = clinic.site.model_copy(update={"kind": "real"})
    clinic.pathway = replace(clinic.pathway, site=site)
    draft = call(INSTANCE, [subject()])
    assert draft.status_code == 422
    assert "is not signed off here" in draft.text
    given = {**content.plan_as_written(PLAN), "id": "brought", "url": f"{PLAN}-brought"}
    brought = call(TYPE, [{"name": "planDefinition", "resource": given}, subject()])
    assert brought.status_code == 422
    assert "no PlanDefinition that comes with a call" in brought.text


def test_everything_that_can_be_said(call: Call, clinic: Clinic) -> None:
    data = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": clinic.read("Patient", "p1")}]}
    overrides = {"resourceType": "Parameters", "parameter": [{"name": "clearance", "valueString": "never"}]}
    role: dict[str, Any] = {"valueCodeableConcept": {"text": "surgeon"}}
    given = [
        subject(),
        {"name": "encounter", "valueString": "Encounter/e1"},
        {"name": "organization", "valueString": "Organization/o1"},
        *({"name": name, **role} for name in ("userType", "userLanguage", "userTaskContext", "setting")),
        {"name": "settingContext", **role},
        {"name": "parameters", "resource": overrides},
        {"name": "useServerData", "valueBoolean": False},
        {"name": "data", "resource": data},
    ]
    care_plan = call(INSTANCE, given).json()
    assert care_plan["encounter"] == {"reference": "Encounter/e1"}
    assert care_plan["author"] == {"reference": "Organization/o1"}
    assert "addresses" not in care_plan


def test_within_the_running_plan_and_as_a_bundle(call: Call, clinic: Clinic) -> None:
    [running] = clinic.ours("CarePlan")
    named = {"name": "carePlan", "valueString": f"CarePlan/{running['id']}"}
    bundle = call(INSTANCE, [subject(), named, {"name": "bundle", "valueBoolean": True}]).json()
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "transaction")
    assert bundle["entry"][0]["resource"]["basedOn"] == [{"reference": f"CarePlan/{running['id']}"}]


def test_several_subjects(call: Call) -> None:
    answer = call(f"{INSTANCE}?subject=Patient/p1&subject=Patient/nobody").json()
    assert [p["resource"]["resourceType"] for p in answer["parameter"]] == ["CarePlan", "OperationOutcome"]


def test_an_activity(call: Call) -> None:
    task = call(f"{ACTIVITY}?subject=Patient/p1").json()
    assert (task["resourceType"], task["for"]) == ("Task", {"reference": "Patient/p1"})


REFUSED: list[tuple[str, list[Resource], int, str]] = [
    (
        INSTANCE,
        [{"name": "bundle", "valueBoolean": True}],
        400,
        "The parameter subject is of type string: at least 1 expected",
    ),
    (INSTANCE, [subject("Patient/nobody")], 404, "There is no Patient/nobody here or in data"),
    (INSTANCE, [subject("Group/g1")], 422, "The subject must be a Patient"),
    ("/PlanDefinition/x/$apply", [subject()], 404, "There is no PlanDefinition x here"),
    (TYPE, [subject()], 422, "Say which PlanDefinition is meant in one way"),
    (INSTANCE, [subject(), {"name": "url", "valueUri": PLAN}], 422, "Say which PlanDefinition is meant in one way"),
    (TYPE, [subject(), {"name": "version", "valueString": "1"}], 422, "there is no url"),
    (
        TYPE,
        [subject(), {"name": "url", "valueUri": PLAN}, {"name": "canonical", "valueCanonical": PLAN}],
        422,
        "not by both",
    ),
    (ACTIVITY, [subject(), {"name": "carePlan", "valueString": "CarePlan/1"}], 400, "There is no parameter 'carePlan'"),
    (INSTANCE, [subject(), {"name": "encounter", "valueString": "e1"}], 422, "encounter must be a reference"),
    (
        INSTANCE,
        [subject(), {"name": "data", "resource": {"resourceType": "Bundle", "type": "collection", "entry": [{}]}}],
        400,
        "data",
    ),
]


@pytest.mark.parametrize(("path", "parameters", "status", "sentence"), REFUSED)
def test_what_is_refused(call: Call, path: str, parameters: list[Resource], status: int, sentence: str) -> None:
    answer = call(path, parameters)
    found = "; ".join(issue["diagnostics"] for issue in answer.json()["issue"])
    assert sentence in found
    assert answer.status_code == status

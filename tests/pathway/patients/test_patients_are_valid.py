"""A FHIR server finds no error in anything that the pathway makes for any of the patients."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from msgspec import json

from pathway.extract import extract
from pathway.ports import Resource
from pathway.responses import faults
from pathway.situation import AUTHORED_TYPES
from tests.pathway.patients.conftest import Lived
from tests.pathway.patients.course import Course
from tests.pathway.patients.everyone import EVERYONE
from tests.pathway.patients.structure import skeleton

MADE = {"CarePlan", "Provenance", *AUTHORED_TYPES}
DRAWN = {"Observation"}
JSON = json.Encoder(decimal_format="number")
FHIR = {"content-type": "application/fhir+json", "accept": "application/fhir+json"}


@pytest.mark.timeout(900)  # run alone, it first lets every patient live
def test_a_server_finds_no_error(lived: Lived, hapi_base: str) -> None:
    """Of resources that are alike for a validator (`structure.py`), one is shown to it; of each, every version."""
    courses = [lived(patient) for patient in EVERYONE]
    different = {skeleton(resource): resource for course in courses for resource in made(course)}
    assert {resource["resourceType"] for resource in different.values()} == MADE | DRAWN
    with httpx.Client(base_url=hapi_base, timeout=120, trust_env=False) as client, ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda resource: errors(client, resource), different.values()))
    assert [(r, e) for r, e in zip(different.values(), found, strict=True) if e] == []


def made(course: Course) -> Iterator[Resource]:
    """Every version of what the pathway authored for a patient, and what is extracted from her answers."""
    repository = course.clinic.store.repository(course.clinic.hospital)
    for resource in course.made():
        yield from repository.history(resource["resourceType"], resource["id"])
    library = course.clinic.pathway.library
    for response in course.clinic.all("QuestionnaireResponse"):
        if not faults(response, library):
            form = library.questionnaire(response["questionnaire"])
            yield from (entry["resource"] for entry in extract(response, form, "north").bundle.get("entry", []))


def errors(client: httpx.Client, resource: Resource) -> list[Resource]:
    # Without an id, as it would arrive in a create: the server resolves no references.
    body = {name: value for name, value in resource.items() if name not in ("id", "meta")}
    answer = client.post(f"/{resource['resourceType']}/$validate", content=JSON.encode(body), headers=FHIR)
    return [issue for issue in answer.json()["issue"] if issue["severity"] in ("fatal", "error")]


def test_alike_are_those_that_differ_only_in_what_is_hers() -> None:
    task: Resource = {
        "resourceType": "Task",
        "id": "1",
        "status": "requested",
        "for": {"reference": "Patient/p1"},
        "restriction": {"period": {"start": "2026-03-23", "end": "2026-03-30"}},
        "description": "Come on Monday.",
        "relevantHistory": [{"reference": "Provenance/1"}, {"reference": "Provenance/2"}],
    }
    alike = {
        "id": "2",
        "for": {"reference": "Patient/p2"},
        "restriction": {"period": {"start": "2026-04-20", "end": "2026-04-27"}},
        "description": "Come on Tuesday.",
        "relevantHistory": [{"reference": "Provenance/3"}],
    }
    assert skeleton(task) == skeleton({**task, **alike})
    different: list[Resource] = [
        {"status": "completed"},
        {"for": {"reference": "Group/p1"}},
        {"restriction": {"period": {"start": "2026-03-23T10:00:00Z", "end": "2026-03-30"}}},
        {"priority": "urgent"},
        {"description": 7},
    ]
    assert [one for one in different if skeleton(task) == skeleton({**task, **one})] == []

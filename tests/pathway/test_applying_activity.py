"""ActivityDefinition/$apply: one request for a patient, outside of any plan."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from fhir_adapters.r4.admission import check
from pathway.applying import Applying, definition
from pathway.circumstances import Circumstances
from pathway.codes import BASE, ROLE
from pathway.errors import NotFound
from pathway.expressions import ExpressionFailed
from pathway.library import Library
from pathway.ports import Resource
from tests.pathway.applied import ALONE, dangling
from tests.pathway.conftest import Clinic

OKAFOR = Circumstances(practitioner="Practitioner/okafor", encounter="Encounter/e1")


def request(clinic: Clinic, activity: str, circumstances: Circumstances = ALONE) -> Resource:
    before = clinic.everything()
    found = definition(clinic.pathway.library, "ActivityDefinition", id=activity)
    with clinic.store.transaction(clinic.hospital) as tx:
        made = Applying(clinic.pathway, tx, clinic.now(), circumstances).activity(found, "Patient/p1")
    assert clinic.everything() == before
    assert check(made) == []
    assert dangling(clinic, made) == []
    return made


def changed(clinic: Clinic, activity: str, **elements: Any) -> None:
    """The clinic's library with another version of one activity."""
    definitions = deepcopy(clinic.pathway.library.resources())
    [found] = [d for d in definitions if (d["resourceType"], d["id"]) == ("ActivityDefinition", activity)]
    found.update(elements)
    clinic.pathway = replace(clinic.pathway, library=Library(definitions))


def role(code: str) -> Resource:
    return {"type": "practitioner", "role": {"coding": [{"system": ROLE, "code": code}]}}


def test_a_task(clinic: Clinic) -> None:
    clinic.arrive()
    task = request(clinic, "fu-first-visit", OKAFOR)
    assert (task["resourceType"], task["status"], task["intent"]) == ("Task", "draft", "proposal")
    assert task["instantiatesCanonical"] == f"{BASE}/ActivityDefinition/fu-first-visit|0.1.0"
    assert task["for"] == {"reference": "Patient/p1"}
    assert task["requester"] == task["owner"] == {"reference": "Practitioner/okafor"}
    assert task["encounter"] == {"reference": "Encounter/e1"}
    assert "basedOn" not in task


@pytest.mark.parametrize(
    ("activity", "status"),
    [
        ("proc-excision", "draft"),
        ("fu-first-visit-appointment", "waitlist"),
        ("fu-attend-all", "draft"),
        ("flag-route", "draft"),
    ],
)
def test_a_request_of_every_kind(clinic: Clinic, content: Library, activity: str, status: str) -> None:
    clinic.arrive()
    made = request(clinic, activity)
    assert made["resourceType"] == definition(content, "ActivityDefinition", id=activity)["kind"]
    assert made["status"] == status
    assert made.get("intent", "proposal") == "proposal"


def test_the_same_question_gets_the_same_request(clinic: Clinic) -> None:
    clinic.arrive()
    first, second = request(clinic, "fu-first-visit"), request(clinic, "fu-first-visit")
    assert (first["id"], first["identifier"]) == (second["id"], second["identifier"])


def test_who_takes_part_becomes_the_owner(clinic: Clinic) -> None:
    clinic.arrive()
    changed(clinic, "fu-first-visit", participant=[role("coordinator")])
    assert request(clinic, "fu-first-visit", OKAFOR)["owner"]["reference"] == "PractitionerRole/coordinator"
    changed(clinic, "fu-first-visit", participant=[{"type": "patient"}])
    assert request(clinic, "fu-first-visit")["owner"] == {"reference": "Patient/p1"}


def test_a_dynamic_value_sees_the_patient_and_the_plan(clinic: Clinic) -> None:
    clinic.decided()
    values = [
        {"path": "description", "expression": {"language": "text/fhirpath", "expression": "%subject.name.family"}},
        {
            "path": "priority",
            "expression": {
                "language": "text/fhirpath",
                "expression": "iif(%CalcinosisSharedDecision.exists(), 'asap', 'routine')",
            },
        },
    ]
    changed(clinic, "fu-first-visit", dynamicValue=values)
    task = request(clinic, "fu-first-visit")
    assert (task["description"], task["priority"]) == ("Huber", "asap")


def test_a_value_that_cannot_be_worked_out_is_an_error(clinic: Clinic) -> None:
    clinic.arrive()
    several = {"language": "text/fhirpath", "expression": "'a' | 'b'"}
    changed(clinic, "fu-first-visit", dynamicValue=[{"path": "priority", "expression": several}])
    with pytest.raises(ExpressionFailed, match="gave 2 values; an element takes one"):
        request(clinic, "fu-first-visit")


def test_an_unknown_patient(clinic: Clinic) -> None:
    with pytest.raises(NotFound, match="There is no Patient/p1 here or in data"):
        request(clinic, "fu-first-visit")


def test_data_that_is_not_used_is_a_message_of_the_request(clinic: Clinic) -> None:
    clinic.arrive()
    observation = {"resourceType": "Observation", "id": "o1"}
    task = request(clinic, "fu-first-visit", Circumstances(data=[observation]))
    [outcome] = task["contained"]
    assert outcome["issue"][0]["diagnostics"].startswith("Observation/o1 in data is not used")

"""Whatever lies ahead of a patient is a due row, and every due row is something that lies ahead."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from pathway.due_work import OPEN
from pathway.keys import key_of
from pathway.tasks import is_open
from tests.pathway.conftest import ZONE, Clinic
from tests.pathway.patients.conftest import Lived
from tests.pathway.patients.course import Course
from tests.pathway.patients.everyone import EVERYONE
from tests.pathway.patients.patient import Patient

LADDERS = {
    "missed-visit": "fu-not-reached-in-time",
    "patient-not-reached": "fu-not-reached-primary-care",
    "red-flag": "red-flag-backup",
}


def ahead(clinic: Clinic) -> set[tuple[str, datetime]]:
    """Action and moment of every open due row."""
    return {(work.action, work.due_at) for work in clinic.due_work() if work.state in OPEN}


def at_midnight(day: str, more: int) -> datetime:
    return datetime.fromisoformat(day[:10]).replace(tzinfo=ZONE) + timedelta(days=more)


def expected(clinic: Clinic) -> Iterator[tuple[str, datetime]]:
    """What must be looked at, worked out from what the patient's requests say."""
    for task in clinic.ours("Task"):
        end = task.get("restriction", {}).get("period", {}).get("end", "")
        codes = {coding.get("code") for coding in task["code"].get("coding", [])}
        for code in codes & LADDERS.keys() if "T" in end and is_open(task) else ():
            yield LADDERS[code], datetime.fromisoformat(end)
        if "follow-up-visit" in codes and is_open(task) and end:
            yield "fu-missed-visit", at_midnight(end, 1)
    for visit in clinic.ours("Appointment", "fu-first-visit-appointment"):
        if visit["status"] == "booked":
            yield "fu-visit-unrecorded", at_midnight(visit["start"], 2)
            yield "fu-attend-all-1d", at_midnight(visit["start"], -1) + timedelta(hours=9)
            yield "fu-attend-all-3d", at_midnight(visit["start"], -3) + timedelta(hours=9)
    for message in clinic.ours("CommunicationRequest"):
        if is_open(message):
            yield "message-unconfirmed", datetime.fromisoformat(message["occurrenceDateTime"]) + timedelta(days=1)


def said(course: Course) -> set[tuple[str, datetime]]:
    """What the explanations promise to look at."""
    found = set()
    for one in course.said:
        _, promised, when = one.why.partition("will be looked at on ")
        if promised:
            found.add((one.action, datetime.fromisoformat(when)))
    return found


@pytest.mark.parametrize("patient", EVERYONE, ids=lambda patient: patient.name)
def test_nothing_that_lies_ahead_is_missing(patient: Patient, lived: Lived) -> None:
    clinic = lived(patient).clinic
    wanted = {(action, moment) for action, moment in expected(clinic) if moment > clinic.clinical}
    assert wanted <= ahead(clinic)


@pytest.mark.parametrize("patient", EVERYONE, ids=lambda patient: patient.name)
def test_the_due_rows_are_what_the_explanations_promise(patient: Patient, lived: Lived) -> None:
    course = lived(patient)
    assert ahead(course.clinic) == said(course)


def test_the_ladder_is_met(lived: Lived) -> None:
    """Else the tests above would look at nothing of it."""
    met = {action for patient in EVERYONE for action, _ in ahead(lived(patient).clinic)}
    assert met >= {"fu-missed-visit", "fu-attend-all-1d", "fu-attend-all-3d", "fu-visit-unrecorded"}
    assert all(key_of(plan) for patient in EVERYONE for plan in lived(patient).clinic.ours("CarePlan"))

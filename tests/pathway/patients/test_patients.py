"""Every patient gets what she is expected to get, and looking at everything again changes nothing."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from fhir_adapters.r4.admission import check
from pathway.library import Library
from pathway.references import reference_to
from tests.pathway.patients.conftest import Lived
from tests.pathway.patients.course import Course, live
from tests.pathway.patients.everyone import EVERYONE
from tests.pathway.patients.expected import differences
from tests.pathway.patients.patient import Patient

RICH = {"Trude Weber", "Carola Ebert"}
PATIENTS = [pytest.param(patient, id=patient.name) for patient in EVERYONE]


def test_names_are_unique() -> None:
    names = [patient.name for patient in EVERYONE]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("patient", PATIENTS)
def test_gets_what_is_expected(patient: Patient, lived: Lived) -> None:
    found = differences(lived(patient))
    assert not found, "\n".join([patient.who, *found])


@pytest.mark.parametrize("patient", PATIENTS)
def test_looking_again_changes_nothing(patient: Patient, lived: Lived) -> None:
    """At what is due, and at all that the hospital has sent."""
    course = lived(patient)
    ours = {reference_to(resource) for resource in course.made()}
    assert changed_by_looking_again(course, course.clinic.versions().keys() - ours) == []


@pytest.mark.parametrize("patient", [p for p in EVERYONE if p.name in RICH], ids=lambda patient: patient.name)
def test_looking_again_at_what_the_pathway_made_changes_nothing(patient: Patient, content: Library) -> None:
    course = live(patient, content)
    assert changed_by_looking_again(course, {reference_to(resource) for resource in course.made()}) == []


def changed_by_looking_again(course: Course, references: Iterable[str]) -> list[object]:
    """Each of the things that are kept (`Clinic.everything`), as it is then, that is not as it was."""
    clinic = course.clinic
    before = clinic.everything()
    clinic.release()
    for reference in sorted(references):
        clinic.react_again(*reference.split("/"))
    return [is_now for was, is_now in zip(before, clinic.everything(), strict=True) if is_now != was]


@pytest.mark.parametrize("patient", PATIENTS)
def test_all_that_is_sent_and_made_is_admitted(patient: Patient, lived: Lived) -> None:
    """Every version of it."""
    clinic = lived(patient).clinic
    repository = clinic.store.repository(clinic.hospital)
    resources = [r for reference in clinic.versions() for r in repository.history(*reference.split("/"))]
    assert [(reference_to(r), issue.diagnostics) for r in resources for issue in check(r)] == []

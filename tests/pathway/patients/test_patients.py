"""Every patient gets what she is expected to get, and looking at everything again changes nothing."""

from __future__ import annotations

import pytest

from fhir_adapters.r4.admission import check
from pathway.references import reference_to
from tests.pathway.patients.conftest import Lived
from tests.pathway.patients.everyone import EVERYONE
from tests.pathway.patients.expected import differences
from tests.pathway.patients.patient import Patient

AGAIN = "looking again"
PATIENTS = [pytest.param(patient, id=patient.name) for patient in EVERYONE]
DEFECTS = [
    pytest.param(p, about, id=f"{p.name}, {about}", marks=pytest.mark.xfail(reason=wrong, strict=True))
    for p in EVERYONE
    for about, wrong in p.defects.items()
    if about != AGAIN
]


def test_names_are_unique() -> None:
    names = [patient.name for patient in EVERYONE]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("patient", PATIENTS)
def test_gets_what_is_expected(patient: Patient, lived: Lived) -> None:
    found = [one for one in differences(lived(patient)) if not one.startswith(tuple(patient.defects))]
    assert not found, "\n".join([patient.who, *found])


@pytest.mark.parametrize(("patient", "about"), DEFECTS)
def test_a_defect_that_is_known(patient: Patient, about: str, lived: Lived) -> None:
    assert [one for one in differences(lived(patient)) if one.startswith(about)] == []


@pytest.mark.parametrize("patient", PATIENTS)
def test_looking_again_changes_nothing(patient: Patient, lived: Lived, request: pytest.FixtureRequest) -> None:
    """All that the hospital sent, and of what we authored one resource of each type."""
    if wrong := patient.defects.get(AGAIN):
        request.applymarker(pytest.mark.xfail(reason=wrong, strict=True))
    course = lived(patient)
    clinic, before = course.clinic, course.clinic.everything()
    clinic.release()
    ours = {reference_to(r): r["resourceType"] for r in course.made()}
    looked_at = {type: reference for reference, type in ours.items()}.values()
    for reference in clinic.versions():
        if reference not in ours or reference in looked_at:
            clinic.react_again(*reference.split("/"))
    assert clinic.everything() == before


@pytest.mark.parametrize("patient", PATIENTS)
def test_all_that_is_sent_and_made_is_admitted(patient: Patient, lived: Lived) -> None:
    clinic = lived(patient).clinic
    resources = [clinic.read(*reference.split("/")) for reference in clinic.versions()]
    assert [(reference_to(r), issue.diagnostics) for r in resources for issue in check(r)] == []

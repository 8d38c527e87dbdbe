"""A sweep finds every patient's surgery with a follow-up in its window, nothing lost, and changes nothing."""

from __future__ import annotations

import pytest

from schedules.duties import sweep
from tests.pathway.patients.conftest import Lived
from tests.pathway.patients.everyone import EVERYONE
from tests.pathway.patients.patient import Patient


@pytest.mark.parametrize("patient", EVERYONE, ids=lambda patient: patient.name)
def test_nothing_is_missing_and_nothing_changes(patient: Patient, lived: Lived) -> None:
    clinic = lived(patient).clinic
    before = clinic.everything()
    report = sweep.run(clinic.store, lambda: clinic.pathway, clinic.now)
    assert (report.mended, report.missing, report.failed, report.unreviewed) == (0, 0, 0, 0)
    assert report.surgeries == report.planned
    assert report.planned - report.inside == patient.late
    assert clinic.everything() == before

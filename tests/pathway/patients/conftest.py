"""Each patient lives once for all tests that look at her."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest

from pathway.library import Library
from tests.pathway.patients.course import Course, live
from tests.pathway.patients.patient import Patient

Lived = Callable[[Patient], Course]


@pytest.fixture(scope="session")
def lived(content: Library) -> Lived:
    """A patient's course; nobody may change it."""
    courses: dict[str, Course] = {}

    def course(patient: Patient) -> Course:
        if patient.name not in courses:
            courses[patient.name] = live(patient, content)
            # Collecting all that the courses keep takes a second, which counts as the time of one expression.
            gc.freeze()
        return courses[patient.name]

    return course

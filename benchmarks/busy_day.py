"""A day on which many patients' follow-ups are due at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from benchmarks.clinic import Clinic
from benchmarks.course import ACTS, Course
from benchmarks.crowd import multiply

_BEFORE = ("referred", "indications", "decided_surgery", "booked_surgery")


def unrecorded_surgeries(clinic: Clinic, patients: int, others: Sequence[Clinic] = ()) -> None:
    """In an empty clinic, and `others`, it is the day after the planned surgery of all, and nothing was recorded."""
    course = Course(clinic, 0)
    clinic.put(*course.known())
    for name in _BEFORE:
        ACTS[name](course)
    multiply(clinic, patients, [other.name for other in others])
    due = 0
    for each in (clinic, *others):
        each.clinical = clinic.at(course.days.planned + timedelta(days=1), 0, 1)
        due += len(each.store.claim_due(each.name, each.clinical, patients + 1, timedelta(seconds=-1)))
    if due != patients:
        raise LookupError(f"{due} pieces of work are due, not {patients}")

"""Two hospitals with equal patient, referral and Procedure ids: nothing of one is ever seen in the other."""

from __future__ import annotations

import pytest

from fhir_adapters.store.memory import MemoryStore
from pathway.errors import NotFound
from pathway.keys import key_of
from pathway.library import Library
from tests.pathway.conftest import Clinic, WireClock

TYPES = ("CarePlan", "ServiceRequest", "Task", "Appointment")


@pytest.fixture
def south(store: MemoryStore, wire: WireClock, content: Library) -> Clinic:
    return Clinic(store, wire, content, "south")


def ids(clinic: Clinic) -> set[str]:
    return {resource["id"] for type in TYPES for resource in clinic.ours(type)}


def keys(clinic: Clinic) -> list[str]:
    return sorted(key_of(r).value for type in TYPES for r in clinic.ours(type))  # type: ignore[union-attr]


def test_the_same_story_in_both_makes_two_of_everything(clinic: Clinic, south: Clinic) -> None:
    clinic.operated()
    south.operated()
    assert len(ids(clinic)) == 18
    assert ids(clinic) & ids(south) == set()
    assert keys(south) == [key.replace("north:", "south:", 1) for key in keys(clinic)]


def test_what_happens_in_one_changes_nothing_in_the_other(clinic: Clinic, south: Clinic) -> None:
    clinic.booked()
    south.booked()
    before = south.everything()
    clinic.book("2026-03-18")
    clinic.record(performedDateTime="2026-03-02", basedOn=[clinic.excision()])
    clinic.diary({"linkId": "flag-redness", "answer": [{"valueBoolean": True}]})
    clinic.at("2026-04-30T09:00")
    clinic.release()
    assert south.everything() == before


def test_each_has_its_own_due_work(clinic: Clinic, south: Clinic) -> None:
    clinic.booked()
    south.booked()
    south.book("2026-03-18")
    assert clinic.due() == [
        ("rule-surgery-unknown", "scheduled", "2026-03-17T00:00:00", 1),
        ("fu-missed-visit", "scheduled", "2026-03-31T00:00:00", 1),
    ]
    assert south.due() == [
        ("rule-surgery-unknown", "scheduled", "2026-03-19T00:00:00", 2),
        ("fu-missed-visit", "scheduled", "2026-04-02T00:00:00", 2),
    ]
    assert {work.key.split(":")[0] for work in clinic.due_work()} == {"north"}
    assert {work.key.split(":")[0] for work in south.due_work()} == {"south"}


def test_each_sends_only_its_own(clinic: Clinic, south: Clinic) -> None:
    clinic.booked()
    south.enrolled()
    assert len(south.ours("Task")) == 1
    assert clinic.sent() & south.sent() == set()
    assert all(clinic.read(*reference.split("/")) for reference in clinic.sent())


def test_a_procedure_of_one_based_on_a_request_of_the_other_is_a_surgery_of_neither(
    clinic: Clinic, south: Clinic
) -> None:
    clinic.booked()
    south.booked()
    clinic.at("2026-03-16T18:00")
    clinic.record(basedOn=[south.excision()], code={"text": "?"}, performedDateTime="2026-03-16")
    assert list(clinic.reviews()) == ["surgery-other-code"]
    assert clinic.ours("Appointment") == []
    assert south.ours("Appointment") == []
    with pytest.raises(NotFound):
        south.read("Procedure", "pr1")

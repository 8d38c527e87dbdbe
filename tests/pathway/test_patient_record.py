"""A patient who died, or whose record was replaced: nothing reaches her in vain, and nothing of her is lost."""

from __future__ import annotations

import pytest

from pathway.patients import died, replaced_by
from pathway.ports import Resource
from schedules.duties import sweep
from tests.pathway.conftest import Clinic, period

DEAD = {"deceasedDateTime": "2026-03-18"}
REPLACED = {"link": [{"type": "replaced-by", "other": {"reference": "Patient/p2"}}]}


def open_requests(clinic: Clinic, type: str) -> set[str]:
    over = {"completed", "cancelled", "revoked", "entered-in-error", "fulfilled"}
    return {r["identifier"][0]["value"].split(":")[3] for r in clinic.ours(type) if r["status"] not in over}


def question(clinic: Clinic, reason: str) -> Resource:
    [task] = [t for t in clinic.ours("Task") if reason in str(t.get("reasonCode")) and t["status"] == "requested"]
    return task


@pytest.mark.parametrize(
    ("patient", "words"),
    [
        ({}, None),
        ({"deceasedBoolean": False}, None),
        ({"deceasedBoolean": True}, "the patient is recorded as deceased"),
        (DEAD, "the patient is recorded as deceased on 2026-03-18"),
    ],
)
def test_died(patient: Resource, words: str | None) -> None:
    assert died(patient) == words


def test_only_what_takes_its_place_replaces_a_record() -> None:
    links = [*REPLACED["link"], {"type": "seealso", "other": {"reference": "Patient/p3"}}]
    assert replaced_by({"link": links}) == ["Patient/p2"]
    assert replaced_by({}) == []


class TestDied:
    def dead(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.book_visit()
        clinic.at("2026-03-23T09:00")
        clinic.release()
        clinic.arrive(**DEAD)

    def test_messages_stop_at_once(self, clinic: Clinic) -> None:
        self.dead(clinic)
        [message] = clinic.ours("CommunicationRequest")
        assert (message["status"], message["note"][-1]["text"]) == (
            "revoked",
            "the patient is recorded as deceased on 2026-03-18",
        )
        clinic.at("2026-04-30T09:00")
        clinic.release()
        assert len(clinic.ours("CommunicationRequest")) == 1

    def test_what_nobody_took_on_is_withdrawn_and_nothing_more_falls_due(self, clinic: Clinic) -> None:
        self.dead(clinic)
        assert open_requests(clinic, "Task") == {"confirm-cancellation", "patient-deceased"}
        assert {state for _, state, _, _ in clinic.due()} <= {"done", "cancelled"}

    def test_what_the_hospital_owns_is_asked_about(self, clinic: Clinic) -> None:
        self.dead(clinic)
        assert open_requests(clinic, "Appointment") == {"fu-first-visit-appointment"}
        assert "deceased" in question(clinic, "confirm-cancellation")["description"]

    def test_a_person_closes_the_plan(self, clinic: Clinic) -> None:
        self.dead(clinic)
        [plan] = clinic.ours("CarePlan")
        assert plan["status"] == "active"
        task = question(clinic, "patient-deceased")
        assert task["focus"] == {"reference": f"CarePlan/{plan['id']}"}
        assert task["description"] == (
            "The patient is recorded as deceased on 2026-03-18: messages and whatever nobody had taken on are "
            "withdrawn. Please close the plan, or correct the record."
        )
        assert clinic.reviews() == {}

    def test_recorded_in_error_everything_comes_back(self, clinic: Clinic) -> None:
        clinic.operated()
        before = {type: open_requests(clinic, type) for type in ("Task", "Appointment")}
        due = [work[:3] for work in clinic.due()]
        clinic.arrive(**DEAD)
        clinic.arrive()
        assert {type: open_requests(clinic, type) for type in ("Task", "Appointment")} == before
        assert [work[:3] for work in clinic.due()] == due
        assert len(clinic.ours("Appointment")) == 2

    def test_recorded_once_more_it_is_asked_once_more(self, clinic: Clinic) -> None:
        clinic.operated()
        for elements in (DEAD, {}, DEAD):
            clinic.arrive(**elements)
        assert question(clinic, "patient-deceased")["status"] == "requested"

    def test_a_sweep_finds_nothing_missing(self, clinic: Clinic) -> None:
        self.dead(clinic)
        report = sweep.run(clinic.store, lambda: clinic.pathway, clinic.now)
        assert (report.surgeries, report.with_people, report.missing, report.mended) == (1, 1, 0, 0)

    def test_looking_again_changes_nothing(self, clinic: Clinic) -> None:
        self.dead(clinic)
        before = clinic.everything()
        clinic.react_again("Patient", "p1")
        clinic.react_again("Procedure", "pr1")
        assert clinic.everything() == before


class TestReplaced:
    def test_the_plan_goes_on_and_a_person_knows_of_both_records(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.arrive(**REPLACED)
        task = question(clinic, "patient-replaced")
        assert "Patient/p1" in task["description"]
        assert "Patient/p2" in task["description"]
        assert "fu-first-visit" in open_requests(clinic, "Task")

    def test_a_surgery_under_the_new_record_is_seen(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.put({"resourceType": "Patient", "id": "p2"})
        clinic.arrive(**REPLACED)
        clinic.at("2026-03-16T18:00")
        clinic.record(performedPeriod=period("2026-03-16"), subject={"reference": "Patient/p2"})
        assert clinic.one("Task", "fu-first-visit")["status"] == "requested"
        assert clinic.one("Appointment", "fu-first-visit-appointment")["status"] == "proposed"
        assert clinic.reviews() == {}

    def test_one_that_was_there_before_is_seen_too(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.put({"resourceType": "Patient", "id": "p2"})
        clinic.at("2026-03-16T18:00")
        clinic.record(performedPeriod=period("2026-03-16"), subject={"reference": "Patient/p2"})
        assert clinic.ours("Appointment") == []
        clinic.arrive(**REPLACED)
        assert clinic.one("Appointment", "fu-first-visit-appointment")["status"] == "proposed"

    def test_a_link_taken_back_takes_back_the_question(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.arrive(**REPLACED)
        clinic.arrive()
        assert [t["status"] for t in clinic.ours("Task", "patient-replaced")] == ["cancelled"]

"""From a referral to a running CarePlan, once, and never silently not."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from pathway.codes import PLAN, SNOMED
from pathway.keys import key_of
from pathway.references import reference_to
from tests.pathway.conftest import CALCINOSIS, OTHER_OPERATION, REFERRAL, Clinic


def test_a_referral_starts_a_care_plan(clinic: Clinic) -> None:
    clinic.enrolled()
    [plan] = clinic.ours("CarePlan")
    assert plan["status"] == "active"
    assert plan["intent"] == "plan"
    assert plan["instantiatesCanonical"] == [f"{PLAN}|0.1.0"]
    assert plan["subject"] == {"reference": "Patient/p1"}
    assert plan["addresses"] == [{"reference": "Condition/c1"}]
    assert plan["supportingInfo"] == [{"reference": "ServiceRequest/r1"}]
    assert plan["author"] == {"reference": "PractitionerRole/surgeon", "display": "surgeon"}
    assert clinic.is_sent(plan)


def test_the_first_task_asks_the_surgeon_for_the_indications(clinic: Clinic) -> None:
    clinic.enrolled()
    [task] = clinic.ours("Task")
    assert task["status"] == "requested"
    assert task["code"]["text"] == "Answer the indications questionnaire"
    assert task["for"] == {"reference": "Patient/p1"}
    assert task["basedOn"] == [{"reference": reference_to(clinic.ours("CarePlan")[0])}]
    assert task["input"][0]["valueCanonical"].endswith("/Questionnaire/calcinosis-surgery-indications|0.1.0")
    assert clinic.is_sent(task)


def test_the_care_plan_lists_its_requests(clinic: Clinic) -> None:
    clinic.enrolled()
    listed = [a["reference"]["reference"] for a in clinic.ours("CarePlan")[0]["activity"]]
    assert listed == [reference_to(task) for task in clinic.ours("Task")]


def test_a_provenance_says_why(clinic: Clinic) -> None:
    clinic.enrolled()
    [record] = clinic.all("Provenance")
    task, plan = clinic.ours("Task")[0], clinic.ours("CarePlan")[0]
    assert [target["reference"] for target in record["target"]] == [reference_to(task), reference_to(plan)]
    assert f"{reference_to(task)}: always part of the pathway" in record["reason"][0]["text"]
    assert record["entity"][0]["what"]["display"] == "ServiceRequest/r1"
    assert clinic.is_sent(record)


@pytest.mark.parametrize("status", ["draft", "on-hold", "revoked", "completed", "entered-in-error", "unknown"])
def test_a_referral_that_is_not_active_starts_nothing(clinic: Clinic, status: str) -> None:
    clinic.arrive()
    clinic.refer(status=status)
    assert clinic.all("CarePlan") == []
    assert clinic.all("Task") == []
    assert clinic.read("ServiceRequest", "r1")["status"] == status


def test_a_referral_starts_once_it_becomes_active(clinic: Clinic) -> None:
    clinic.arrive()
    clinic.refer(status="draft")
    clinic.refer(status="active")
    assert len(clinic.all("CarePlan")) == 1


def test_an_order_with_another_code_starts_nothing(clinic: Clinic) -> None:
    clinic.arrive()
    clinic.refer(code=OTHER_OPERATION)
    assert clinic.all("CarePlan") == []
    assert clinic.all("Task") == []
    assert clinic.quarantine() == []


@pytest.mark.parametrize(
    "reason",
    [{"reasonCode": [CALCINOSIS]}, {"reasonReference": [{"reference": "Condition/c1"}]}],
    ids=lambda r: next(iter(r)),
)
def test_calcinosis_as_a_reason_alone_is_for_the_coordinator(clinic: Clinic, reason: dict[str, Any]) -> None:
    clinic.arrive()
    clinic.refer(code=OTHER_OPERATION, **reason)
    assert clinic.all("CarePlan") == []
    [task] = clinic.all("Task")
    assert clinic.reviews() == {"referral-reason-only": task}
    assert task["description"] == "An order for calcinosis arrived with a code that is no referral."
    assert task["owner"] == {"reference": "PractitionerRole/coordinator", "display": "coordinator"}
    assert task["focus"] == {"reference": "ServiceRequest/r1"}
    assert task["for"] == {"reference": "Patient/p1"}
    assert task["priority"] == "urgent"
    assert clinic.is_sent(task)


def test_a_reason_that_is_something_else_is_nobody_s_business(clinic: Clinic) -> None:
    clinic.arrive()
    clinic.refer(code=OTHER_OPERATION, reasonCode=[{"coding": [{"system": SNOMED, "code": "1"}]}])
    assert clinic.all("Task") == []


@pytest.mark.parametrize(
    "element", [{"deceasedBoolean": True}, {"deceasedDateTime": "2026"}], ids=lambda e: next(iter(e))
)
def test_a_deceased_patient_is_not_enrolled(clinic: Clinic, element: dict[str, Any]) -> None:
    clinic.arrive(**element)
    clinic.refer()
    assert clinic.all("CarePlan") == []
    [task] = clinic.all("Task")
    assert clinic.reviews() == {"referral-deceased": task}
    assert task["description"] == "The referral is for a patient who is recorded as deceased."
    assert task["owner"]["reference"] == "PractitionerRole/coordinator"
    assert [(q.reason, q.reference, q.version) for q in clinic.quarantine()] == [
        ("referral-deceased", "ServiceRequest/r1", "1")
    ]


def test_a_patient_who_is_recorded_as_alive_is_enrolled(clinic: Clinic) -> None:
    clinic.arrive(deceasedBoolean=False)
    clinic.refer()
    assert len(clinic.all("CarePlan")) == 1


@pytest.mark.parametrize(
    "subject", [{"reference": "Patient/p1"}, {"display": "Eva Huber"}], ids=lambda s: next(iter(s))
)
def test_a_referral_of_an_unknown_patient_is_kept_and_looked_at(clinic: Clinic, subject: dict[str, Any]) -> None:
    clinic.refer(subject=subject)
    assert clinic.all("CarePlan") == []
    [task] = clinic.all("Task")
    assert clinic.reviews() == {"referral-patient-unknown": task}
    assert task["description"] == "The referral names a patient whose record could not be read."
    assert "for" not in task
    assert [(q.reason, q.reference) for q in clinic.quarantine()] == [("referral-patient-unknown", "ServiceRequest/r1")]
    assert clinic.read("ServiceRequest", "r1")["subject"] == subject


def test_a_referral_that_waited_for_its_patient_starts_once_the_record_comes(clinic: Clinic) -> None:
    clinic.refer()
    assert clinic.all("CarePlan") == []
    clinic.arrive()
    assert len(clinic.ours("CarePlan")) == 1
    assert clinic.one("Task", "calcinosis-surgery-indications")["status"] == "requested"


def test_the_same_referral_twice_is_one_care_plan(clinic: Clinic) -> None:
    clinic.enrolled()
    before = clinic.everything()
    clinic.refer()
    clinic.react_again("ServiceRequest", "r1")
    assert clinic.everything() == before


def test_a_changed_referral_is_still_one_care_plan(clinic: Clinic) -> None:
    clinic.enrolled()
    clinic.refer(priority="urgent")
    assert len(clinic.all("CarePlan")) == 1
    assert len(clinic.all("Task")) == 1


def test_two_referrals_are_two_care_plans(clinic: Clinic) -> None:
    clinic.enrolled()
    clinic.refer("r2")
    assert [key_of(plan).value for plan in clinic.ours("CarePlan")] == [  # type: ignore[union-attr]
        "north:r1:calcinosis-excision-pathway",
        "north:r2:calcinosis-excision-pathway",
    ]


def test_every_task_of_the_whole_course_has_an_owner(clinic: Clinic) -> None:
    clinic.operated()
    clinic.record("pr2", performedDateTime="2026")
    clinic.diary({"linkId": "flag-redness", "answer": [{"valueBoolean": True}]})
    owners = {task["owner"]["reference"] for task in clinic.ours("Task")}
    assert owners == {
        "PractitionerRole/surgeon",
        "PractitionerRole/coordinator",
        "PractitionerRole/primary-care",
        "PractitionerRole/anesthesia",
        "Patient/p1",
    }


def test_every_key_begins_with_the_hospital_and_every_id_is_a_uuid(clinic: Clinic) -> None:
    clinic.operated()
    types = ("CarePlan", "ServiceRequest", "Task", "Appointment")
    made = [resource for type in types for resource in clinic.ours(type)]
    assert len(made) == 18
    assert {key_of(r).value.split(":")[0] for r in made} == {"north"}  # type: ignore[union-attr]
    assert {str(UUID(r["id"])) for r in made} == {r["id"] for r in made}


def test_our_own_requests_never_enrol_anybody(clinic: Clinic) -> None:
    clinic.decided()
    excision = clinic.one("ServiceRequest", "proc-excision")
    clinic.change(excision, status="active", code=REFERRAL)
    assert len(clinic.all("CarePlan")) == 1

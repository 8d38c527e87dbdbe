"""What only some patients need comes when somebody states the need, and not before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pathway.codes import PLAN
from pathway.elements import actions_of
from pathway.library import Library
from pathway.ports import Resource
from tests.pathway.conftest import Clinic, yes
from tests.pathway.forms import checklist, code, day, group, medicine, needs, operation, outcome, reassess, visit, words

ALWAYS_BEFORE = {
    "calcinosis-surgery-indications",
    "calcinosis-shared-decision",
    "cause-address",
    "prep-medication-disclosure",
    "prep-medication-review",
    "prep-medical-clearance",
    "prep-prior-authorization",
    "prep-fasting-override",
    "prep-transport",
}
ALWAYS_AFTER = {
    "calcinosis-operation-record",
    "rec-discharge",
    "rec-wound-instructions",
    "calcinosis-recovery-diary",
    "fu-first-visit",
    "calcinosis-outcome",
}


@pytest.fixture(autouse=True)
def every_answer_fits_its_form(clinic: Clinic) -> Iterator[None]:
    yield
    assert clinic.quarantine() == []


def test_a_patient_without_special_needs_gets_only_what_is_always_asked(clinic: Clinic) -> None:
    clinic.operated()
    assert clinic.statuses("Task").keys() == ALWAYS_BEFORE | ALWAYS_AFTER
    assert clinic.statuses("ServiceRequest").keys() == {"proc-excision"}
    assert clinic.statuses("Appointment").keys() == {"fu-first-visit-appointment"}
    assert clinic.statuses("CommunicationRequest") == {}


def asked(clinic: Clinic, action: str, type: str = "Task") -> bool:
    return any(r["status"] not in ("cancelled", "revoked") for r in clinic.ours(type, action))


@pytest.mark.parametrize(
    ("action", "type", "answer"),
    [
        ("rule-minor", "Task", group("factors", yes("minor"))),
        ("fac-no-smoking", "Task", group("factors", yes("fac-smoking"))),
        ("cause-workup-tests", "ServiceRequest", group("work-up", yes("cause-workup-tests"))),
        ("dec-thorough-discussion", "Appointment", group("work-up", yes("consultation-wanted"))),
    ],
)
def test_stated_with_the_indications(clinic: Clinic, action: str, type: str, answer: Resource) -> None:
    clinic.enrolled()
    clinic.indicate()
    assert not asked(clinic, action, type)
    reassess(clinic, answer)
    assert asked(clinic, action, type)


@pytest.mark.parametrize(
    ("action", "type", "need"),
    [
        ("prep-labs", "ServiceRequest", "prep-labs"),
        ("prep-imaging", "ServiceRequest", "prep-imaging"),
        ("proc-tissue-analysis", "ServiceRequest", "proc-tissue-analysis"),
        ("mit-nerve-mapping", "Task", "mit-nerve-mapping"),
        ("mit-anesthesia-history", "Task", "anesthesia-planned"),
    ],
)
def test_stated_with_the_decision(clinic: Clinic, action: str, type: str, need: str) -> None:
    clinic.enrolled()
    clinic.indicate()
    clinic.decide("surgery", "decision-1", "2026-03-03T10:00:00+01:00", needs(need))
    clinic.book()
    assert [r["status"] for r in clinic.ours(type, action)] == ["draft" if type == "ServiceRequest" else "requested"]


def test_an_order_carries_the_day_by_which_it_is_needed(clinic: Clinic) -> None:
    clinic.enrolled()
    clinic.indicate()
    clinic.decide("surgery", "decision-1", "2026-03-03T10:00:00+01:00", needs("prep-labs"))
    clinic.book()
    assert clinic.one("ServiceRequest", "prep-labs")["occurrencePeriod"] == {"end": "2026-03-09"}
    clinic.book("2026-03-18")
    assert clinic.one("ServiceRequest", "prep-labs")["occurrencePeriod"] == {"end": "2026-03-11"}


def test_a_signed_order_whose_day_has_moved_is_for_a_person(clinic: Clinic) -> None:
    clinic.enrolled()
    clinic.indicate()
    clinic.decide("surgery", "decision-1", "2026-03-03T10:00:00+01:00", needs("prep-labs"))
    clinic.book()
    clinic.change(clinic.one("ServiceRequest", "prep-labs"), status="active")
    clinic.book("2026-03-18")
    assert clinic.one("ServiceRequest", "prep-labs")["occurrencePeriod"] == {"end": "2026-03-09"}
    [task] = clinic.ours("Task", "confirm-date")
    assert "planned for 2026-03-09" in task["description"]
    assert "it would now be 2026-03-11" in task["description"]


@pytest.mark.parametrize(
    ("action", "answer"),
    [
        ("prep-medication-stop-plan", medicine("anti-inflammatory", "pause")),
        ("rule-restart-date", medicine("anticoagulant", "pause")),
        ("rule-immune-medicine", medicine("immunosuppressant")),
        ("prep-work-school-note", group("time-off", yes("prep-work-school-note"))),
        ("prep-ask-questions", words("prep-ask-questions", "Will it hurt?")),
        ("prep-remote-support", group("examinations", yes("prep-remote-support"))),
        ("fac-no-smoking", group("living", yes("fac-smoking"))),
    ],
)
def test_stated_in_the_checklist(clinic: Clinic, action: str, answer: Resource) -> None:
    clinic.booked()
    assert not asked(clinic, action)
    checklist(clinic, answer)
    assert asked(clinic, action)
    assert clinic.one("Task", "prep-medication-disclosure")["status"] == "completed"


@pytest.mark.parametrize(
    ("action", "answer"),
    [
        ("prep-medication-resume-plan", medicine("anticoagulant", "pause")),
        ("rec-pain-control", medicine("anti-inflammatory")),
        ("rec-desk-work", group("time-off", code("occupation-demand", "occupation-demand", "desk"))),
        ("rec-demanding-work", group("time-off", code("occupation-demand", "occupation-demand", "physical"))),
        ("rec-school-return", group("time-off", code("occupation-demand", "occupation-demand", "pupil"))),
        ("add-medication-management", medicine("immunosuppressant")),
    ],
)
def test_stated_before_and_asked_after_surgery(clinic: Clinic, action: str, answer: Resource) -> None:
    clinic.booked()
    checklist(clinic, answer)
    assert not asked(clinic, action)
    clinic.at("2026-03-16T18:00")
    clinic.record(performedDateTime="2026-03-16", basedOn=[clinic.excision()])
    assert asked(clinic, action)


@pytest.mark.parametrize(
    ("action", "type", "answer"),
    [
        ("rec-dressing-changes", "Task", group("closure", yes("rec-dressing-changes"))),
        ("fu-remove-stitches", "Task", group("closure", yes("sutures-to-remove"))),
        ("mit-compression-stockings", "Task", group("afterwards", yes("mit-compression-stockings"))),
        ("fu-pathology-review", "Task", group("findings", yes("tissue-sent"))),
        ("rec-physical-therapy", "ServiceRequest", group("afterwards", yes("rec-physical-therapy"))),
        ("rec-physical-therapy", "ServiceRequest", group("findings", yes("near-joint"))),
        ("rec-physical-therapy", "ServiceRequest",
         group("findings", code("proc-tissue-layer", "tissue-layer", "muscle"))),
    ],
)  # fmt: skip
def test_stated_in_the_record_of_the_operation(clinic: Clinic, action: str, type: str, answer: Resource) -> None:
    clinic.operated()
    assert not asked(clinic, action, type)
    operation(clinic, answer)
    assert asked(clinic, action, type)
    assert clinic.one("Task", "calcinosis-operation-record")["status"] == "completed"


def test_the_dressing_is_changed_as_the_surgeon_says(clinic: Clinic) -> None:
    clinic.operated()
    operation(clinic, group("closure", yes("rec-dressing-changes"), words("dressing-interval", "every second day")))
    task = clinic.one("Task", "rec-dressing-changes")
    assert task["note"] == [{"text": "every second day"}]
    assert task["owner"] == {"reference": "Patient/p1"}


@pytest.mark.parametrize(
    ("action", "type", "answer"),
    [
        ("fu-check-complications", "Task", group("fu-check-complications", yes("risk-infection"))),
        ("fac-non-adherence", "Task", group("later", yes("fu-missed-care"))),
        ("add-physical-therapy", "ServiceRequest", group("later", yes("add-physical-therapy"))),
        ("add-scar-care", "Task", group("later", yes("add-scar-care"))),
    ],
)
def test_stated_at_the_visit(clinic: Clinic, action: str, type: str, answer: Resource) -> None:
    clinic.operated()
    visit(clinic)
    assert not asked(clinic, action, type)
    visit(clinic, answer, id="visit-2", at="2026-03-27")
    assert asked(clinic, action, type)


def test_a_further_visit_on_the_surgeons_day(clinic: Clinic) -> None:
    clinic.operated()
    visit(clinic, yes("fu-extra-visits"), day("fu-extra-visits-date", "2026-04-07"))
    visit(clinic, yes("fu-extra-visits"), id="visit-2", at="2026-03-27")
    dated, open_ = clinic.ours("Appointment", "fu-extra-visits")
    assert (dated["status"], dated["requestedPeriod"]) == ("proposed", [{"start": "2026-04-07", "end": "2026-04-07"}])
    assert (open_["status"], "requestedPeriod" in open_) == ("waitlist", False)


def test_a_telemedicine_visit_that_the_surgeon_learns_of(clinic: Clinic) -> None:
    clinic.operated()
    clinic.diary(yes("fu-telemedicine"))
    assert clinic.one("Appointment", "fu-telemedicine")["status"] == "waitlist"
    assert clinic.one("Task", "fu-telemedicine-copy")["owner"]["reference"] == "PractitionerRole/surgeon"


def test_stitches_taken_out_and_result_explained(clinic: Clinic) -> None:
    clinic.operated()
    operation(clinic, group("closure", yes("sutures-to-remove")), group("findings", yes("tissue-sent")))
    visit(clinic, yes("sutures-to-remove"), yes("fu-remove-stitches"), group("later", yes("fu-pathology-review")))
    assert clinic.one("Task", "fu-remove-stitches")["status"] == "completed"
    assert clinic.one("Task", "fu-pathology-review")["status"] == "completed"


@pytest.mark.parametrize(("removed", "asked_for"), [("partial", True), ("complete", False)])
def test_another_operation_is_considered_when_some_was_left_and_complaints_go_on(
    clinic: Clinic, removed: str, asked_for: bool
) -> None:
    clinic.operated()
    operation(clinic, group("findings", code("mit-complete-removal", "removal-completeness", removed)))
    assert not asked(clinic, "add-additional-surgery")
    outcome(clinic, yes("symptoms-persist"))
    assert asked(clinic, "add-additional-surgery") is asked_for


def test_a_missed_visit_is_followed_up_at_once(clinic: Clinic) -> None:
    clinic.operated()
    clinic.change(clinic.book_visit(), status="noshow")
    missed = clinic.one("Task", "fu-missed-visit-noshow")
    assert (missed["priority"], missed["owner"]["reference"]) == ("urgent", "PractitionerRole/coordinator")


@pytest.mark.parametrize("outcome_", ["watchful", "more-work-up", "declined"])
def test_who_waits_hears_of_the_risks_of_waiting(clinic: Clinic, outcome_: str) -> None:
    clinic.enrolled()
    clinic.indicate()
    clinic.decide(outcome_)
    assert asked(clinic, "dec-delay-risk-talk")
    clinic.decide(outcome_, "decision-2", "2026-03-04T10:00:00+01:00", yes("dec-delay-risk-talk"))
    assert not asked(clinic, "dec-delay-risk-talk")


def test_the_plan_is_proposed_for_closing_when_nothing_is_open(clinic: Clinic) -> None:
    clinic.operated()
    outcome(clinic)
    assert not asked(clinic, "rule-plan-complete")
    for _ in range(2):
        for task in clinic.ours("Task"):
            if task["status"] == "requested":
                clinic.change(task, status="completed")
    assert not asked(clinic, "rule-plan-complete")
    clinic.change(clinic.one("Appointment", "fu-first-visit-appointment"), status="fulfilled")
    for task in clinic.ours("Task"):
        if task["status"] == "requested" and "rule-plan-complete" not in task["identifier"][0]["value"]:
            clinic.change(task, status="completed")
    clinic.change(clinic.one("ServiceRequest", "proc-excision"), status="completed")
    assert asked(clinic, "rule-plan-complete")
    assert clinic.ours("CarePlan")[0]["status"] == "active"


def test_the_ways_of_treatment_exclude_each_other(content: Library) -> None:
    choice = next(a for _, a in actions_of(content.plan(PLAN)) if a["id"] == "treatment-choice")
    assert choice["selectionBehavior"] == "exactly-one"
    assert [a["id"] for a in choice["action"]] == ["proc-excision", "choice-conservative", "choice-watchful"]


def test_what_is_conditional_is_never_a_default_order(content: Library) -> None:
    actions = {action["id"]: action for _, action in actions_of(content.plan(PLAN))}
    orders = [
        action
        for action in actions.values()
        if action["id"] != "proc-excision"
        and "definitionCanonical" in action
        and content.activity(action["definitionCanonical"])["kind"] == "ServiceRequest"
    ]
    assert len(orders) >= 6
    assert all(order["requiredBehavior"] == "could" and order["condition"] for order in orders)


def test_ten_goals_and_every_goal_that_an_action_serves(content: Library) -> None:
    plan = content.plan(PLAN)
    goals = [goal["id"] for goal in plan["goal"]]
    assert len(goals) == len(set(goals)) == 10
    served = {goal for _, action in actions_of(plan) for goal in action.get("goalId", [])}
    assert served == set(goals)

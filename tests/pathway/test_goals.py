"""The goals of the plan as the patient's Goals: proposed, moved with the operation, and left alone once accepted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pathway import codes
from pathway.library import Library
from pathway.ports import Resource
from pathway.references import reference_to, references_in
from tests.pathway.conftest import SURGERY_DAY, Clinic, yes
from tests.pathway.forms import group, reassess

# What the operation serves; the cause of this patient's deposits is known.
OF_SURGERY = {
    "goal-adherence",
    "goal-early-movement",
    "goal-mobility",
    "goal-nutrition-hydration",
    "goal-pain-relief",
    "goal-quality-of-life",
    "goal-return-to-activity",
    "goal-wound-healed",
}
OF_THE_CAUSE = {"goal-underlying-control"}
ANOTHER = "2026-03-04T10:00:00+01:00"


def statuses(clinic: Clinic) -> dict[str, str]:
    """The lifecycleStatus of each Goal by its goal."""
    return {g["identifier"][0]["value"].split(":", 4)[4]: g["lifecycleStatus"] for g in clinic.ours("Goal")}


def dates(clinic: Clinic, goal: str) -> list[str | None]:
    return [target.get("dueDate") for target in clinic.one("Goal", goal)["target"]]


def listed(clinic: Clinic) -> list[str]:
    [plan] = clinic.ours("CarePlan")
    return [goal["reference"] for goal in plan.get("goal", [])]


def test_none_before_an_action_serves_one(clinic: Clinic) -> None:
    clinic.enrolled()
    assert statuses(clinic) == {}
    assert "goal" not in clinic.ours("CarePlan")[0]


def test_those_of_an_operation_are_proposed_with_the_decision_for_it(clinic: Clinic) -> None:
    clinic.decided()
    assert statuses(clinic) == dict.fromkeys(OF_SURGERY | OF_THE_CAUSE, "proposed")
    assert sorted(listed(clinic)) == sorted(reference_to(goal) for goal in clinic.ours("Goal"))
    assert all(clinic.is_sent(goal) for goal in clinic.ours("Goal"))


def test_a_decision_against_surgery_proposes_only_what_it_serves(clinic: Clinic) -> None:
    clinic.enrolled()
    clinic.indicate()
    clinic.decide("conservative")
    assert statuses(clinic) == {"goal-underlying-control": "proposed"}


def test_who_smokes_is_proposed_not_to(clinic: Clinic) -> None:
    clinic.enrolled()
    reassess(clinic, group("factors", yes("fac-smoking")))
    assert statuses(clinic) == {"goal-no-smoking": "proposed"}


def test_a_goal_says_what_the_plan_says_of_it(clinic: Clinic, content: Library) -> None:
    clinic.decided()
    goal = clinic.one("Goal", "goal-mobility")
    [defined] = [g for g in content.plan(codes.PLAN)["goal"] if g["id"] == "goal-mobility"]
    assert goal["description"] == {"text": "Better movement"}
    assert goal["category"] == [defined["category"]]
    assert goal["startCodeableConcept"] == {"text": "completion of the operation"}
    assert goal["subject"] == {"reference": "Patient/p1"}
    assert goal["addresses"] == [{"reference": "Condition/c1"}]
    [target] = goal["target"]
    assert (target["measure"], target["detailCodeableConcept"]) == (
        defined["target"][0]["measure"],
        defined["target"][0]["detailCodeableConcept"],
    )
    assert target["dueDuration"]["value"] == 42
    assert "expressedBy" not in goal


def test_the_dates_are_counted_from_the_operation_and_move_with_it(clinic: Clinic) -> None:
    clinic.decided()
    assert dates(clinic, "goal-pain-relief") == [None]
    clinic.book("2026-03-16")
    assert dates(clinic, "goal-pain-relief") == ["2026-04-27"]
    assert dates(clinic, "goal-return-to-activity")[:3] == ["2026-03-21", "2026-03-23", "2026-03-30"]
    assert dates(clinic, "goal-wound-healed") == [None]
    clinic.book("2026-03-18")
    assert dates(clinic, "goal-pain-relief") == ["2026-04-29"]
    assert "dueDuration" not in clinic.one("Goal", "goal-pain-relief")["target"][0]


def test_a_booking_that_is_cancelled_leaves_the_time_without_a_date(clinic: Clinic) -> None:
    clinic.booked()
    clinic.book(status="cancelled")
    assert dates(clinic, "goal-pain-relief") == [None]
    assert clinic.one("Goal", "goal-pain-relief")["target"][0]["dueDuration"]["value"] == 42


@pytest.mark.parametrize("status", ["planned", "accepted", "active", "on-hold", "rejected"])
def test_what_a_clinician_has_taken_on_or_refused_does_not_move_any_more(clinic: Clinic, status: str) -> None:
    clinic.booked()
    clinic.change(clinic.one("Goal", "goal-pain-relief"), lifecycleStatus=status)
    clinic.book("2026-03-18")
    assert dates(clinic, "goal-pain-relief") == ["2026-04-27"]
    assert statuses(clinic)["goal-pain-relief"] == status


def test_a_date_that_somebody_changed_stays(clinic: Clinic) -> None:
    clinic.booked()
    goal = clinic.one("Goal", "goal-pain-relief")
    clinic.change(goal, target=[{**goal["target"][0], "dueDate": "2026-05-01"}])
    clinic.book("2026-03-18")
    assert dates(clinic, "goal-pain-relief") == ["2026-05-01"]
    assert dates(clinic, "goal-mobility") == ["2026-04-29"]


def test_what_somebody_wrote_into_a_target_stays_when_its_date_moves(clinic: Clinic) -> None:
    clinic.booked()
    goal = clinic.one("Goal", "goal-pain-relief")
    clinic.change(goal, target=[{**goal["target"][0], "detailCodeableConcept": {"text": "No pain when writing"}}])
    clinic.book("2026-03-18")
    [target] = clinic.one("Goal", "goal-pain-relief")["target"]
    assert (target["detailCodeableConcept"]["text"], target["dueDate"]) == ("No pain when writing", "2026-04-29")


def test_the_dates_follow_what_the_site_decides(clinic: Clinic) -> None:
    clinic.booked()
    own = clinic.site.parameters.model_copy(update={"pathway": {"lightActivityLastDay": 4}})
    clinic.site = clinic.site.model_copy(update={"parameters": own})
    clinic.pathway = replace(clinic.pathway, site=clinic.site)
    clinic.react_again("Patient", "p1")
    assert dates(clinic, "goal-return-to-activity")[:2] == ["2026-03-20", "2026-03-23"]


def test_those_of_an_operation_that_is_withdrawn_are_cancelled(clinic: Clinic) -> None:
    clinic.decided()
    clinic.change(clinic.one("Goal", "goal-mobility"), lifecycleStatus="accepted")
    clinic.decide("conservative", "decision-2", ANOTHER)
    cancelled = dict.fromkeys(OF_SURGERY - {"goal-mobility"}, "cancelled")
    assert statuses(clinic) == cancelled | {"goal-mobility": "accepted", "goal-underlying-control": "proposed"}
    gone = clinic.one("Goal", "goal-pain-relief")
    assert gone["statusReason"] == "nothing in the plan serves this goal any more"
    assert clinic.is_sent(gone)


def test_surgery_decided_once_more_proposes_them_once_more(clinic: Clinic) -> None:
    clinic.decided()
    clinic.decide("conservative", "decision-2", ANOTHER)
    clinic.decide("surgery", "decision-3", "2026-03-05T10:00:00+01:00")
    found = statuses(clinic)
    assert (found["goal-pain-relief"], found["goal-pain-relief:again-2"]) == ("cancelled", "proposed")


def test_nothing_is_cancelled_while_answers_cannot_be_used(clinic: Clinic) -> None:
    clinic.decided()
    decision = clinic.read("QuestionnaireResponse", "decision-1")
    clinic.put({**decision, "item": [{"linkId": "no-such-question", "answer": [{"valueBoolean": True}]}]})
    assert statuses(clinic) == dict.fromkeys(OF_SURGERY | OF_THE_CAUSE, "proposed")


def test_a_second_operation_moves_what_nobody_has_accepted(clinic: Clinic) -> None:
    clinic.operated()
    clinic.decide("surgery", "decision-2", "2026-03-20T10:00:00+01:00", yes("add-additional-surgery"))
    assert dates(clinic, "goal-pain-relief") == ["2026-04-27"]
    [second] = [r for r in clinic.ours("ServiceRequest", "proc-excision") if r["identifier"][0]["value"].endswith("2")]
    clinic.book("2026-05-04", "a2", second)
    assert dates(clinic, "goal-pain-relief") == ["2026-06-15"]


def test_a_request_names_the_goals_it_pertains_to(clinic: Clinic) -> None:
    clinic.operated()
    goals = {goal: reference_to(clinic.one("Goal", goal)) for goal in OF_SURGERY}
    visit = clinic.one("Task", "fu-first-visit")
    assert [(e["url"], e["valueReference"]["reference"]) for e in visit["extension"]] == [
        (codes.PERTAINS_TO_GOAL, goals["goal-wound-healed"]),
        (codes.PERTAINS_TO_GOAL, goals["goal-adherence"]),
    ]
    assert set(references_in(clinic.one("ServiceRequest", "proc-excision"))) >= {goals["goal-pain-relief"]}
    assert not any(r.startswith("Goal/") for r in references_in(clinic.one("Task", "prep-transport")))


def test_applying_again_changes_nothing(clinic: Clinic) -> None:
    clinic.operated()
    before = clinic.everything()
    for type, id in (("Patient", "p1"), ("Procedure", "pr1"), ("QuestionnaireResponse", "decision-1")):
        clinic.react_again(type, id)
    for goal in clinic.ours("Goal"):
        clinic.react_again("Goal", goal["id"])
    assert clinic.everything() == before


def test_goals_of_the_hospital_are_not_touched(clinic: Clinic) -> None:
    clinic.enrolled()
    theirs: Resource = {
        "resourceType": "Goal",
        "id": "g9",
        "lifecycleStatus": "proposed",
        "description": {"text": "Play the piano again"},
        "subject": {"reference": "Patient/p1"},
    }
    clinic.put(theirs)
    [plan] = clinic.ours("CarePlan")
    clinic.change(plan, goal=[{"reference": "Goal/g9"}])
    clinic.indicate()
    clinic.decide("surgery")
    assert clinic.read("Goal", "g9")["lifecycleStatus"] == "proposed"
    assert listed(clinic)[0] == "Goal/g9"
    assert len(listed(clinic)) == 1 + len(OF_SURGERY | OF_THE_CAUSE)


def test_the_day_is_that_of_the_operation_itself_when_it_took_place(clinic: Clinic) -> None:
    clinic.booked()
    clinic.at("2026-03-18T18:00")
    clinic.record(performedDateTime="2026-03-17", basedOn=[clinic.excision()])
    assert SURGERY_DAY == "2026-03-16"
    assert dates(clinic, "goal-pain-relief") == ["2026-04-28"]

"""What happens to a patient, and what changes because of it: decisions, dates, surgery, the visit, warning signs."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pathway.codes import BASE, POSTOP_VISIT, RULE_RESULT
from pathway.keys import key_of
from pathway.ports import Resource
from pathway.references import reference_to
from pathway.site import ClinicCalendar, Closure
from tests.pathway.conftest import Clinic, coded, period, yes

PREPARATION = {
    "prep-medication-review": {"end": "2026-03-06"},
    "prep-medical-clearance": {"end": "2026-03-09"},
    "prep-prior-authorization": {"end": "2026-03-09"},
    "prep-fasting-override": {"end": "2026-03-13"},
    "prep-transport": {"end": "2026-03-13"},
}
BLEEDING = f"{BASE}/CodeSystem/wound-bleeding"
DISCHARGE = f"{BASE}/CodeSystem/wound-discharge"


def sought(task: Resource) -> Any:
    return task.get("restriction", {}).get("period")


class TestDecision:
    def test_the_task_for_it_carries_the_proposed_result_and_its_reasons(self, clinic: Clinic) -> None:
        clinic.enrolled()
        clinic.indicate()
        task = clinic.one("Task", "calcinosis-shared-decision")
        questionnaire, proposed, *reasons = task["input"]
        assert questionnaire["valueCanonical"].endswith("calcinosis-shared-decision|0.1.0")
        assert proposed["type"] == {"text": "Proposed result"}
        assert proposed["valueCodeableConcept"] == {
            "coding": [{"system": RULE_RESULT, "code": "insufficient-information"}],
            "text": "Proposed: insufficient-information",
        }
        assert [reason["valueString"] for reason in reasons] == [
            "Not answered: How large the deposit is (dec-size).",
            "Not answered: How much its looks trouble the patient (cosmetic-concern).",
            "Not answered: Whether the diagnosis is certain (diagnosis-certain).",
        ]
        assert task["priority"] == "routine"

    def test_rapid_growth_makes_it_urgent(self, clinic: Clinic) -> None:
        clinic.enrolled()
        clinic.indicate(yes("ind-rapid-progression"))
        assert clinic.one("Task", "calcinosis-shared-decision")["priority"] == "urgent"

    def test_the_proposal_alone_prepares_nothing(self, clinic: Clinic) -> None:
        clinic.enrolled()
        clinic.indicate()
        assert clinic.statuses("Task") == {
            "calcinosis-shared-decision": "requested",
            "calcinosis-surgery-indications": "completed",
        }
        assert clinic.ours("ServiceRequest") == []

    def test_surgery_opens_the_preparation(self, clinic: Clinic) -> None:
        clinic.decided()
        assert clinic.statuses("Task") == {
            "calcinosis-shared-decision": "completed",
            "calcinosis-surgery-indications": "completed",
            "cause-address": "requested",
            "prep-medication-disclosure": "requested",
            **dict.fromkeys(PREPARATION, "requested"),
        }
        excision = clinic.one("ServiceRequest", "proc-excision")
        assert (excision["status"], excision["intent"]) == ("draft", "plan")
        assert clinic.is_sent(excision)
        assert clinic.one("Task", "calcinosis-shared-decision")["statusReason"] == {"text": "a decision is recorded"}

    def test_conservative_takes_the_other_branch(self, clinic: Clinic) -> None:
        clinic.enrolled()
        clinic.indicate()
        clinic.decide("conservative")
        assert clinic.statuses("Task") == {
            "alt-conservative-default": "requested",
            "calcinosis-shared-decision": "completed",
            "calcinosis-surgery-indications": "completed",
            "cause-address": "requested",
            "watchful-follow-up": "requested",
        }
        assert clinic.ours("ServiceRequest") == []

    def test_watchful_arranges_a_look_later(self, clinic: Clinic) -> None:
        clinic.enrolled()
        clinic.indicate()
        clinic.decide("watchful")
        assert clinic.statuses("Task") == {
            "calcinosis-shared-decision": "completed",
            "calcinosis-surgery-indications": "completed",
            "cause-address": "requested",
            "dec-delay-risk-talk": "requested",
            "watchful-follow-up": "requested",
        }

    def test_a_decision_that_is_not_finished_decides_nothing(self, clinic: Clinic) -> None:
        clinic.enrolled()
        clinic.indicate()
        decision = coded("dec-record-outcome", f"{BASE}/CodeSystem/decision-outcome", "surgery")
        clinic.answer(
            f"{BASE}/Questionnaire/calcinosis-shared-decision",
            "decision-1",
            "2026-03-03",
            [decision],
            status="in-progress",
        )
        assert clinic.ours("ServiceRequest") == []
        assert clinic.statuses("Task")["calcinosis-shared-decision"] == "requested"

    def test_the_newest_decision_counts_whatever_zone_it_was_written_in(self, clinic: Clinic) -> None:
        clinic.enrolled()
        clinic.indicate()
        clinic.decide("conservative", "d-east", "2026-03-03T10:30:00+02:00")
        clinic.decide("surgery", "d-utc", "2026-03-03T10:00:00Z")
        assert len(clinic.ours("ServiceRequest", "proc-excision")) == 1

    def test_conservative_after_surgery_withdraws_what_nobody_accepted(self, clinic: Clinic) -> None:
        clinic.decided()
        clinic.decide("conservative", "decision-2", "2026-03-04T10:00:00+01:00")
        excision = clinic.one("ServiceRequest", "proc-excision")
        assert excision["status"] == "revoked"
        assert excision["note"][-1] == {"text": "not so: decision = surgery"}
        for action in PREPARATION:
            task = clinic.one("Task", action)
            assert task["status"] == "cancelled"
            assert task["statusReason"] == {"text": "part of 'Excision of calcinosis', which is not in the plan"}
        assert clinic.statuses("Task")["alt-conservative-default"] == "requested"
        assert clinic.ours("Task", "confirm-cancellation") == []

    def test_what_is_withdrawn_is_told_to_the_hospital(self, clinic: Clinic) -> None:
        clinic.decided()
        clinic.decide("conservative", "decision-2", "2026-03-04T10:00:00+01:00")
        outbox = clinic.store.state("north").outbox
        for type, action in (("Task", "prep-transport"), ("ServiceRequest", "proc-excision")):
            resource = clinic.one(type, action)
            assert outbox[type, resource["id"]] == int(resource["meta"]["versionId"])

    def test_and_asks_to_confirm_the_cancellation_of_what_is_accepted(self, clinic: Clinic) -> None:
        clinic.decided()
        clinic.change(clinic.one("Task", "prep-medical-clearance"), status="accepted")
        clinic.decide("conservative", "decision-2", "2026-03-04T10:00:00+01:00")
        clearance = clinic.one("Task", "prep-medical-clearance")
        assert clearance["status"] == "accepted"
        question = clinic.one("Task", "confirm-cancellation")
        assert question["focus"] == {"reference": reference_to(clearance)}
        assert question["owner"]["reference"] == "PractitionerRole/coordinator"
        assert question["priority"] == "urgent"
        assert question["description"] == (
            "Obtain medical clearance is no longer asked for (part of 'Excision of calcinosis', which is "
            "not in the plan). Please cancel it, or keep it knowingly."
        )
        clinic.react_again("QuestionnaireResponse", "decision-2")
        assert len(clinic.ours("Task", "confirm-cancellation")) == 1

    def test_surgery_after_all_is_prepared_again(self, clinic: Clinic) -> None:
        clinic.decided()
        clinic.decide("conservative", "decision-2", "2026-03-04T10:00:00+01:00")
        clinic.decide("surgery", "decision-3", "2026-03-05T10:00:00+01:00")
        assert "requested" in {task["status"] for task in clinic.ours("Task", "prep-medical-clearance")}
        assert "draft" in {request["status"] for request in clinic.ours("ServiceRequest", "proc-excision")}


class TestPlannedDate:
    def test_booking_gives_the_preparation_its_dates(self, clinic: Clinic) -> None:
        clinic.decided()
        assert {action: sought(clinic.one("Task", action)) for action in PREPARATION} == dict.fromkeys(PREPARATION)
        clinic.book()
        assert {action: sought(clinic.one("Task", action)) for action in PREPARATION} == PREPARATION

    def test_the_occurrence_of_the_request_is_a_date_too(self, clinic: Clinic) -> None:
        clinic.decided()
        clinic.change(clinic.one("ServiceRequest", "proc-excision"), occurrenceDateTime="2026-03-20")
        assert sought(clinic.one("Task", "prep-transport")) == {"end": "2026-03-17"}
        assert sought(clinic.one("Task", "fu-first-visit")) == {"start": "2026-03-27", "end": "2026-04-03"}

    def test_the_follow_up_exists_provisionally_and_is_not_sent(self, clinic: Clinic) -> None:
        clinic.booked()
        task = clinic.one("Task", "fu-first-visit")
        assert task["status"] == "draft"
        assert task["businessStatus"]["coding"][0]["code"] == "provisional"
        assert task["focus"] == clinic.excision()
        assert sought(task) == {"start": "2026-03-23", "end": "2026-03-30"}
        assert not clinic.is_sent(task)
        assert clinic.ours("Appointment") == []

    def test_moving_the_surgery_moves_all_that_nobody_accepted(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.book("2026-03-18")
        assert {action: sought(clinic.one("Task", action)) for action in PREPARATION} == {
            "prep-medication-review": {"end": "2026-03-08"},
            "prep-medical-clearance": {"end": "2026-03-11"},
            "prep-prior-authorization": {"end": "2026-03-11"},
            "prep-fasting-override": {"end": "2026-03-15"},
            "prep-transport": {"end": "2026-03-15"},
        }
        assert sought(clinic.one("Task", "fu-first-visit")) == {"start": "2026-03-25", "end": "2026-04-01"}
        assert clinic.ours("Task", "confirm-date") == []

    def test_and_raises_the_generation_of_what_falls_due(self, clinic: Clinic) -> None:
        clinic.booked()
        assert clinic.due() == [
            ("rule-surgery-unknown", "scheduled", "2026-03-17T00:00:00", 1),
            ("fu-missed-visit", "scheduled", "2026-03-31T00:00:00", 1),
        ]
        clinic.book("2026-03-18")
        assert clinic.due() == [
            ("rule-surgery-unknown", "scheduled", "2026-03-19T00:00:00", 2),
            ("fu-missed-visit", "scheduled", "2026-04-02T00:00:00", 2),
        ]

    def test_what_is_accepted_gets_one_question_with_both_dates(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.change(clinic.one("Task", "prep-medical-clearance"), status="accepted")
        clinic.book("2026-03-18")
        clearance = clinic.one("Task", "prep-medical-clearance")
        assert sought(clearance) == {"end": "2026-03-09"}
        question = clinic.one("Task", "confirm-date")
        assert question["description"] == (
            "Obtain medical clearance: planned for 2026-03-09, but the date it depends on has changed, "
            "it would now be 2026-03-11."
        )
        assert question["reasonCode"]["coding"][0]["code"] == "confirm-date"
        assert question["focus"] == {"reference": reference_to(clearance)}
        assert question["owner"]["reference"] == "PractitionerRole/coordinator"
        assert clinic.is_sent(question)
        clinic.react_again("Appointment", "a1")
        assert len(clinic.ours("Task", "confirm-date")) == 1

    def test_a_second_move_asks_again(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.change(clinic.one("Task", "prep-medical-clearance"), status="in-progress")
        clinic.book("2026-03-18")
        clinic.book("2026-03-20")
        assert [task["description"][-11:] for task in clinic.ours("Task", "confirm-date")] == [
            "2026-03-11.",
            "2026-03-13.",
        ]

    @pytest.mark.parametrize("status", ["completed", "rejected", "failed", "cancelled"])
    def test_what_is_over_stays(self, clinic: Clinic, status: str) -> None:
        clinic.booked()
        clinic.change(clinic.one("Task", "prep-medical-clearance"), status=status)
        before = clinic.one("Task", "prep-medical-clearance")
        clinic.book("2026-03-18")
        assert clinic.one("Task", "prep-medical-clearance") == before
        assert clinic.ours("Task", "confirm-date") == []

    def test_moved_there_and_back(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.book("2026-03-18")
        clinic.book("2026-03-16")
        assert {action: sought(clinic.one("Task", action)) for action in PREPARATION} == PREPARATION
        assert sought(clinic.one("Task", "fu-first-visit")) == {"start": "2026-03-23", "end": "2026-03-30"}
        assert clinic.due() == [
            ("rule-surgery-unknown", "scheduled", "2026-03-17T00:00:00", 3),
            ("fu-missed-visit", "scheduled", "2026-03-31T00:00:00", 3),
        ]

    def test_moved_back_takes_back_the_question(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.change(clinic.one("Task", "prep-medical-clearance"), status="accepted")
        clinic.book("2026-03-18")
        clinic.book("2026-03-16")
        assert clinic.one("Task", "confirm-date")["status"] == "cancelled"

    @pytest.mark.parametrize(
        ("when", "day"), [({"start": "2026-03-16T23:30:00Z"}, "2026-03-24"), ({}, "2026-03-23")], ids=["late", "early"]
    )
    def test_the_date_is_the_clinic_s(self, clinic: Clinic, when: Resource, day: str) -> None:
        clinic.decided()
        clinic.book(**when)
        assert sought(clinic.one("Task", "fu-first-visit"))["start"] == day

    def test_a_change_of_the_hour_alone_changes_nothing(self, clinic: Clinic) -> None:
        clinic.booked()
        before = clinic.versions()
        clinic.book(start="2026-03-16T11:00:00+01:00", end="2026-03-16T13:00:00+01:00")
        assert clinic.versions() - before == {"Appointment/a1": 1}

    def test_a_cancelled_surgery_falls_due_no_more_and_keeps_its_follow_up(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.book(status="cancelled")
        assert clinic.due() == [
            ("rule-surgery-unknown", "cancelled", "2026-03-17T00:00:00", 1),
            ("fu-missed-visit", "cancelled", "2026-03-31T00:00:00", 1),
        ]
        follow_up = clinic.one("Task", "fu-first-visit")
        assert follow_up["status"] == "draft"
        assert not clinic.is_sent(follow_up)

    def test_a_cancelled_surgery_that_is_booked_again(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.book(status="cancelled")
        clinic.book("2026-04-20", id="a2")
        assert sought(clinic.one("Task", "fu-first-visit")) == {"start": "2026-04-27", "end": "2026-05-04"}
        assert clinic.due() == [
            ("rule-surgery-unknown", "scheduled", "2026-04-21T00:00:00", 2),
            ("fu-missed-visit", "scheduled", "2026-05-05T00:00:00", 2),
        ]


class TestOperated:
    def test_the_follow_up_is_asked_for_with_its_window(self, clinic: Clinic) -> None:
        clinic.operated()
        task = clinic.one("Task", "fu-first-visit")
        assert task["status"] == "requested"
        assert "businessStatus" not in task
        assert sought(task) == {"start": "2026-03-23", "end": "2026-03-30"}
        assert task["owner"]["reference"] == "PractitionerRole/surgeon"
        assert task["focus"] == {"reference": reference_to(clinic.one("Appointment", "fu-first-visit-appointment"))}
        assert clinic.is_sent(task)

    def test_with_a_proposed_appointment_on_the_target_day_and_the_reason(self, clinic: Clinic) -> None:
        clinic.operated()
        visit = clinic.one("Appointment", "fu-first-visit-appointment")
        assert visit["status"] == "proposed"
        assert visit["requestedPeriod"] == [{"start": "2026-03-26", "end": "2026-03-26"}]
        assert visit["comment"] == (
            "Thu 26 Mar 2026 is the target day in the window Mon 23 Mar 2026 to Mon 30 Mar 2026, "
            "and the clinic is open."
        )
        assert visit["basedOn"] == [clinic.excision()]
        assert [p["actor"]["reference"] for p in visit["participant"]] == ["Patient/p1", "PractitionerRole/surgeon"]
        assert clinic.is_sent(visit)

    def test_the_reason_stands_in_the_provenance_too(self, clinic: Clinic) -> None:
        clinic.operated()
        reference = reference_to(clinic.one("Appointment", "fu-first-visit-appointment"))
        why = [
            record["reason"][0]["text"]
            for record in clinic.all("Provenance")
            if {"reference": reference} in record["target"]
        ]
        assert any(f"{reference}: Thu 26 Mar 2026 is the target day" in text for text in why)

    def test_day_10_on_a_public_holiday(self, clinic: Clinic) -> None:
        clinic.decided()
        clinic.book("2026-03-24")
        clinic.at("2026-03-24T18:00")
        clinic.record(performedPeriod=period("2026-03-24"), basedOn=[clinic.excision()])
        visit = clinic.one("Appointment", "fu-first-visit-appointment")
        assert visit["requestedPeriod"] == [{"start": "2026-04-02", "end": "2026-04-02"}]
        assert "Fri 3 Apr 2026, the target day, is closed: public holiday (Good Friday)" in visit["comment"]

    def test_no_open_day_goes_to_a_person(self, clinic: Clinic) -> None:
        clinic.booked()
        closed = Closure(first=date(2026, 3, 1), last=date(2026, 4, 30), reason="renovation")
        clinic.site = clinic.site.model_copy(update={"calendar": ClinicCalendar(closures=(closed,))})
        clinic.at("2026-03-16T18:00")
        clinic.record(performedPeriod=period("2026-03-16"), basedOn=[clinic.excision()])
        visit = clinic.one("Appointment", "fu-first-visit-appointment")
        assert visit["status"] == "waitlist"
        assert "requestedPeriod" not in visit
        assert visit["comment"] == (
            "No open clinic day in the window Mon 23 Mar 2026 to Mon 30 Mar 2026: a person has to find one."
        )

    def test_a_visit_that_loses_its_last_open_day_names_no_day(self, clinic: Clinic) -> None:
        clinic.operated()
        closed = Closure(first=date(2026, 3, 1), last=date(2026, 4, 30), reason="renovation")
        clinic.site = clinic.site.model_copy(update={"calendar": ClinicCalendar(closures=(closed,))})
        clinic.react_again("Procedure", "pr1")
        visit = clinic.one("Appointment", "fu-first-visit-appointment")
        assert visit["status"] == "waitlist"
        assert "requestedPeriod" not in visit
        assert visit["comment"].startswith("No open clinic day")

    def test_the_window_counts_from_the_actual_end_not_the_plan(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at("2026-03-20T09:00")
        late = {"start": "2026-03-17T22:00:00+01:00", "end": "2026-03-18T01:00:00+01:00"}
        clinic.record(performedPeriod=late, basedOn=[clinic.excision()])
        assert sought(clinic.one("Task", "fu-first-visit")) == {"start": "2026-03-25", "end": "2026-04-01"}

    def test_a_surgery_that_was_never_booked_has_its_follow_up(self, clinic: Clinic) -> None:
        clinic.decided()
        clinic.at("2026-03-16T18:00")
        clinic.record(performedDateTime="2026-03-16")
        assert sought(clinic.one("Task", "fu-first-visit")) == {"start": "2026-03-23", "end": "2026-03-30"}
        assert len(clinic.ours("Appointment")) == 1

    def test_all_that_comes_after_is_due(self, clinic: Clinic) -> None:
        clinic.operated()
        assert clinic.due() == [
            ("rule-surgery-unknown", "scheduled", "2026-03-17T00:00:00", 1),
            ("rule-visit-unbooked", "scheduled", "2026-03-19T00:00:00", 1),
            ("fu-missed-visit", "scheduled", "2026-03-31T00:00:00", 1),
        ]

    def test_looking_again_at_anything_changes_nothing(self, clinic: Clinic) -> None:
        clinic.operated()
        before = clinic.everything()
        for type, id in (
            ("Patient", "p1"),
            ("Condition", "c1"),
            ("ServiceRequest", "r1"),
            ("QuestionnaireResponse", "indications-1"),
            ("QuestionnaireResponse", "decision-1"),
            ("Appointment", "a1"),
            ("Procedure", "pr1"),
        ):
            clinic.react_again(type, id)
        for type in ("ServiceRequest", "Task", "Appointment"):
            for resource in clinic.ours(type):
                clinic.react_again(type, resource["id"])
        assert clinic.everything() == before

    def test_a_corrected_date_moves_the_proposed_visit(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.at("2026-03-19T09:00")
        clinic.record(performedPeriod=period("2026-03-17"), basedOn=[clinic.excision()])
        assert sought(clinic.one("Task", "fu-first-visit")) == {"start": "2026-03-24", "end": "2026-03-31"}
        visit = clinic.one("Appointment", "fu-first-visit-appointment")
        assert visit["requestedPeriod"] == [{"start": "2026-03-27", "end": "2026-03-27"}]
        assert visit["comment"].startswith("Fri 27 Mar 2026 is the target day")

    def test_a_corrected_date_asks_about_the_booked_visit(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.book_visit()
        clinic.at("2026-03-19T09:00")
        clinic.record(performedPeriod=period("2026-03-17"), basedOn=[clinic.excision()])
        visit = clinic.one("Appointment", "fu-first-visit-appointment")
        assert visit["status"] == "booked"
        assert visit["start"] == "2026-03-26T10:00:00+01:00"
        question = clinic.one("Task", "confirm-date")
        assert question["focus"] == {"reference": reference_to(visit)}
        assert question["description"] == (
            "Appointment for the first follow-up visit: planned for 2026-03-26, but the date it depends on has "
            "changed, it would now be 2026-03-27."
        )

    def test_the_same_surgery_reported_twice_is_one_follow_up(self, clinic: Clinic) -> None:
        clinic.operated()
        before = clinic.versions()
        clinic.record("pr2", performedDateTime="2026-03-16")
        assert clinic.versions() - before == {"Procedure/pr2": 1}
        assert clinic.reviews() == {}

    @pytest.mark.parametrize("second", ["pr0", "pr2"])
    def test_two_records_with_different_dates_go_to_a_person(self, clinic: Clinic, second: str) -> None:
        clinic.operated()
        clinic.at("2026-03-19T09:00")
        clinic.record(second, performedDateTime="2026-03-18", basedOn=[clinic.excision()])
        [review] = clinic.reviews().values()
        assert review["reasonCode"]["coding"][0]["code"] == "surgery-ambiguous"
        assert review["description"] == (
            "This surgery is recorded twice, for 2026-03-16 and for 2026-03-18: which is right?"
        )
        assert review["focus"] == {"reference": f"Procedure/{second}"}
        assert len(clinic.ours("Task", "fu-first-visit")) == 1

    def test_a_second_record_moves_nothing_until_somebody_said_which_is_right(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.at("2026-03-19T09:00")
        clinic.record("pr0", performedDateTime="2026-03-18", basedOn=[clinic.excision()])
        assert sought(clinic.one("Task", "fu-first-visit")) == {"start": "2026-03-23", "end": "2026-03-30"}


class TestVisit:
    def follow_up(self, clinic: Clinic) -> Resource:
        return clinic.one("Task", "fu-first-visit")

    def encounter(self, clinic: Clinic, **elements: Any) -> Resource:
        return {
            "resourceType": "Encounter",
            "id": "e1",
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "subject": {"reference": "Patient/p1"},
            "appointment": [{"reference": reference_to(clinic.one("Appointment", "fu-first-visit-appointment"))}],
            **elements,
        }

    def test_booking_alone_completes_nothing(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.book_visit()
        assert self.follow_up(clinic)["status"] == "requested"

    def test_a_fulfilled_appointment_completes_it(self, clinic: Clinic) -> None:
        clinic.operated()
        visit = clinic.book_visit()
        clinic.change(visit, status="fulfilled")
        assert self.follow_up(clinic)["status"] == "completed"
        assert self.follow_up(clinic)["statusReason"] == {"text": "the visit took place"}

    def test_a_finished_encounter_in_person_completes_it(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.book_visit()
        clinic.put(self.encounter(clinic))
        assert self.follow_up(clinic)["status"] == "completed"

    @pytest.mark.parametrize(
        "elements",
        [
            {"class": {"code": "VR"}},
            {"class": {"code": "EMER"}},
            {"status": "in-progress"},
            {"status": "cancelled"},
            {"appointment": [{"reference": "Appointment/a1"}]},
            {"appointment": []},
        ],
        ids=["virtual", "emergency", "in progress", "cancelled", "another appointment", "no appointment"],
    )
    def test_any_other_encounter_does_not_count(self, clinic: Clinic, elements: Resource) -> None:
        clinic.operated()
        clinic.book_visit()
        clinic.put(self.encounter(clinic, **elements))
        assert self.follow_up(clinic)["status"] == "requested"

    def test_the_answers_of_the_visit_complete_it(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.answer(POSTOP_VISIT, "visit-1", "2026-03-26T10:30:00+01:00", [yes("sutures-to-remove")])
        assert self.follow_up(clinic)["status"] == "completed"

    def test_the_hospital_may_have_accepted_it_before(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.change(self.follow_up(clinic), status="in-progress")
        clinic.change(clinic.book_visit(), status="fulfilled")
        assert self.follow_up(clinic)["status"] == "completed"

    def test_the_care_plan_stays_open_for_what_remains(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.change(clinic.book_visit(), status="fulfilled")
        assert clinic.ours("CarePlan")[0]["status"] == "active"
        assert clinic.statuses("Task")["calcinosis-outcome"] == "requested"

    def test_the_care_plan_names_every_request(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.change(clinic.book_visit(), status="fulfilled")
        listed = [a["reference"]["reference"] for a in clinic.ours("CarePlan")[0]["activity"]]
        made = [reference_to(r) for type in ("ServiceRequest", "Task", "Appointment") for r in clinic.ours(type)]
        assert sorted(listed) == sorted(made)


class TestStagedOperations:
    @pytest.fixture
    def staged(self, clinic: Clinic) -> Clinic:
        """The first operation is done; a further one is decided and booked for 13 April."""
        clinic.operated()
        clinic.decide("surgery", "decision-2", "2026-03-20T10:00:00+01:00", yes("add-additional-surgery"))
        clinic.book("2026-04-13", id="a2", request=clinic.ours("ServiceRequest", "decision-2")[0])
        return clinic

    def follow_ups(self, clinic: Clinic) -> dict[str, tuple[str, Any]]:
        tasks = clinic.ours("Task", "fu-first-visit")
        return {key_of(t).value.split(":")[-1]: (t["status"], sought(t)) for t in tasks}  # type: ignore[union-attr]

    def test_each_has_its_own_follow_up(self, staged: Clinic) -> None:
        assert self.follow_ups(staged) == {
            "decision-1": ("requested", {"start": "2026-03-23", "end": "2026-03-30"}),
            "decision-2": ("draft", {"start": "2026-04-20", "end": "2026-04-27"}),
        }

    def test_the_second_record_belongs_to_the_second(self, staged: Clinic) -> None:
        staged.at("2026-04-13T18:00")
        staged.record("pr2", performedPeriod={"start": "2026-04-13", "end": "2026-04-13"})
        assert self.follow_ups(staged)["decision-2"] == ("requested", {"start": "2026-04-20", "end": "2026-04-27"})
        assert len(staged.ours("Appointment", "fu-first-visit-appointment")) == 2
        assert staged.reviews() == {}

    def test_the_first_visit_does_not_complete_the_second_follow_up(self, staged: Clinic) -> None:
        staged.answer(POSTOP_VISIT, "visit-1", "2026-03-26T10:30:00+01:00", [yes("sutures-to-remove")])
        staged.at("2026-04-13T18:00")
        staged.record("pr2", performedDateTime="2026-04-13")
        assert self.follow_ups(staged) == {
            "decision-1": ("completed", {"start": "2026-03-23", "end": "2026-03-30"}),
            "decision-2": ("requested", {"start": "2026-04-20", "end": "2026-04-27"}),
        }

    def test_a_visit_before_the_second_is_booked_does_not_suppress_it_either(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.answer(POSTOP_VISIT, "visit-1", "2026-03-26T10:30:00+01:00", [yes("sutures-to-remove")])
        clinic.decide("surgery", "decision-2", "2026-03-27T10:00:00+01:00", yes("add-additional-surgery"))
        clinic.book("2026-04-13", id="a2", request=clinic.ours("ServiceRequest", "decision-2")[0])
        assert self.follow_ups(clinic)["decision-2"] == ("draft", {"start": "2026-04-20", "end": "2026-04-27"})

    def test_a_first_visit_on_the_day_of_the_second_operation_is_not_its_follow_up(self, staged: Clinic) -> None:
        staged.at("2026-04-13T18:00")
        staged.answer(POSTOP_VISIT, "visit-1", "2026-04-13T07:30:00+02:00", [yes("sutures-to-remove")])
        staged.record("pr2", performedDateTime="2026-04-13")
        assert {one: status for one, (status, _) in self.follow_ups(staged).items()} == {
            "decision-1": "completed",
            "decision-2": "requested",
        }

    def test_the_second_visit_completes_the_second_follow_up(self, staged: Clinic) -> None:
        staged.at("2026-04-13T18:00")
        staged.record("pr2", performedDateTime="2026-04-13")
        staged.answer(POSTOP_VISIT, "visit-2", "2026-04-23T10:30:00+02:00", [yes("sutures-to-remove")])
        assert self.follow_ups(staged)["decision-2"][0] == "completed"

    def test_the_same_decision_twice_is_one_operation(self, clinic: Clinic) -> None:
        clinic.decided()
        clinic.decide("surgery", "decision-2", "2026-03-20T10:00:00+01:00")
        assert len(clinic.ours("ServiceRequest", "proc-excision")) == 1

    def test_a_record_of_neither_day_goes_to_a_person(self, staged: Clinic) -> None:
        staged.decide("surgery", "decision-3", "2026-03-21T10:00:00+01:00", yes("add-additional-surgery"))
        staged.book("2026-05-11", id="a3", request=staged.ours("ServiceRequest", "decision-3")[0])
        staged.at("2026-04-20T18:00")
        staged.record("pr2", performedDateTime="2026-04-20")
        assert staged.reviews()["surgery-ambiguous"]["description"] == (
            "This record fits 3 planned operations: say which one it is (Procedure.basedOn)."
        )
        assert self.follow_ups(staged)["decision-2"][0] == "draft"
        assert self.follow_ups(staged)["decision-3"][0] == "draft"

    def test_a_further_decision_never_undoes_a_surgery_that_was_recognised(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at("2026-03-17T18:00")
        clinic.record(performedDateTime="2026-03-17")  # a day later than planned, and based on nothing
        clinic.decide("surgery", "decision-2", "2026-03-20T10:00:00+01:00", yes("add-additional-surgery"))
        assert self.follow_ups(clinic)["decision-1"] == ("requested", {"start": "2026-03-24", "end": "2026-03-31"})
        assert clinic.one("Appointment", "fu-first-visit-appointment")["status"] == "proposed"


class TestTwoPathways:
    def test_a_second_referral_takes_nothing_from_the_first(self, clinic: Clinic) -> None:
        clinic.booked()
        before = clinic.statuses("Task")
        clinic.refer("r2")
        first = {r["id"]: r["status"] for r in clinic.ours("Task") if ":r1:" in key_of(r).value}  # type: ignore[union-attr]
        assert len(first) == len(before)
        assert "cancelled" not in first.values()

    @pytest.fixture
    def twice(self, clinic: Clinic) -> Clinic:
        """One patient with two referrals."""
        clinic.booked()
        clinic.refer("r2")
        return clinic

    def test_a_surgery_for_neither_in_particular_goes_to_a_person(self, twice: Clinic) -> None:
        twice.at("2026-03-16T18:00")
        twice.record(performedDateTime="2026-03-16")
        assert twice.reviews()["surgery-ambiguous"]["description"] == (
            "A surgery is recorded, but not for which of the patient's pathways it was (Procedure.basedOn)."
        )
        assert twice.ours("Appointment") == []

    def test_so_does_one_that_is_based_on_an_order_of_the_hospital(self, twice: Clinic) -> None:
        twice.at("2026-03-16T18:00")
        twice.record(performedDateTime="2026-03-16", basedOn=[{"reference": "ServiceRequest/theirs"}])
        assert list(twice.reviews()) == ["surgery-ambiguous"]

    def test_and_another_procedure_near_the_date(self, twice: Clinic) -> None:
        twice.at("2026-03-17T18:00")
        twice.record(performedDateTime="2026-03-17", code={"text": "Something else"})
        assert list(twice.reviews()) == ["surgery-other-code"]

    def test_a_surgery_that_says_which_is_used(self, twice: Clinic) -> None:
        twice.at("2026-03-16T18:00")
        twice.record(performedDateTime="2026-03-16", basedOn=[twice.excision()])
        assert twice.reviews() == {}
        assert twice.one("Task", "fu-first-visit")["status"] == "requested"

    def test_a_surgery_based_on_a_plan_that_is_not_ours_is_not_dropped(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at("2026-03-16T18:00")
        clinic.record(performedDateTime="2026-03-16", basedOn=[{"reference": "CarePlan/theirs"}])
        assert list(clinic.reviews()) == ["surgery-ambiguous"]

    def test_a_warning_sign_is_never_dropped(self, twice: Clinic) -> None:
        twice.diary(yes("flag-breathing-difficulty"))
        assert twice.alerts()


class TestWarningSigns:
    @pytest.mark.parametrize(
        ("item", "action", "priority"),
        [
            ({"linkId": "temperature", "answer": [{"valueDecimal": 38.0}]}, "flag-fever", "urgent"),
            ({"linkId": "temperature", "answer": [{"valueDecimal": 39}]}, "flag-fever", "urgent"),
            (yes("flag-fever"), "flag-fever", "urgent"),
            (yes("flag-redness"), "flag-redness", "urgent"),
            (yes("flag-swelling"), "flag-swelling", "urgent"),
            (yes("flag-warmth"), "flag-warmth", "urgent"),
            (coded("flag-discharge", DISCHARGE, "clear"), "flag-discharge", "urgent"),
            (coded("flag-discharge", DISCHARGE, "pus"), "flag-discharge", "urgent"),
            (coded("flag-bleeding", BLEEDING, "spotting"), "flag-bleeding", "urgent"),
            (coded("flag-bleeding", BLEEDING, "soaking"), "flag-bleeding", "stat"),
            (yes("flag-leg-clot-signs"), "flag-leg-clot-signs", "stat"),
            (yes("flag-breathing-difficulty"), "flag-breathing-difficulty", "stat"),
        ],
    )
    def test_each_calls_the_surgeon_s_office_at_once(
        self, clinic: Clinic, item: Resource, action: str, priority: str
    ) -> None:
        clinic.operated()
        clinic.diary(item)
        [flag] = clinic.ours("Flag")
        task = clinic.one("Task", action)
        assert flag["status"] == "active"
        assert flag["code"]["coding"][0]["code"] == action
        assert flag["subject"] == {"reference": "Patient/p1"}
        assert task["focus"] == {"reference": reference_to(flag)}
        assert (task["status"], task["priority"]) == ("requested", priority)
        assert task["owner"]["reference"] == "PractitionerRole/surgeon"
        assert [(a.code, a.priority, a.task) for a in clinic.alerts()] == [(action, priority, reference_to(task))]
        assert clinic.is_sent(flag)
        assert clinic.is_sent(task)

    @pytest.mark.parametrize(
        "item",
        [
            {"linkId": "temperature", "answer": [{"valueDecimal": 37.9}]},
            {"linkId": "flag-redness", "answer": [{"valueBoolean": False}]},
            {"linkId": "flag-redness"},
            coded("flag-discharge", DISCHARGE, "none"),
            coded("flag-bleeding", BLEEDING, "none"),
            {"linkId": "pain-score", "answer": [{"valueInteger": 9}]},
        ],
    )
    def test_all_is_well(self, clinic: Clinic, item: Resource) -> None:
        clinic.operated()
        before = clinic.versions()
        clinic.diary(item)
        assert clinic.versions() - before == {"QuestionnaireResponse/diary-1": 1}
        assert clinic.alerts() == []

    def test_several_signs_are_several_calls(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.diary(yes("flag-redness"), coded("flag-bleeding", BLEEDING, "soaking"))
        assert sorted((a.code, a.priority) for a in clinic.alerts()) == [
            ("flag-bleeding", "stat"),
            ("flag-redness", "urgent"),
        ]
        assert len(clinic.ours("Flag")) == 2

    def test_once_however_often_it_is_looked_at(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.diary(yes("flag-redness"))
        before = clinic.everything()
        clinic.diary(yes("flag-redness"))
        clinic.react_again("QuestionnaireResponse", "diary-1")
        assert clinic.everything() == before

    def test_every_entry_is_a_call_of_its_own(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.diary(yes("flag-redness"))
        clinic.diary(yes("flag-redness"), id="diary-2", authored="2026-03-20T08:00:00+01:00")
        assert len(clinic.ours("Flag")) == 2
        assert len(clinic.alerts()) == 2

    def test_before_any_surgery_too(self, clinic: Clinic) -> None:
        clinic.enrolled()
        clinic.diary(yes("flag-breathing-difficulty"))
        assert [a.code for a in clinic.alerts()] == ["flag-breathing-difficulty"]

    def test_flag_task_and_alert_come_together_or_not_at_all(
        self, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(*_: object) -> None:
            raise OSError("disk full")

        clinic.operated()
        before = clinic.everything()
        with monkeypatch.context() as patched:
            patched.setattr("fhir_adapters.store.memory.MemoryTransaction.alert", fails)
            with pytest.raises(OSError, match="disk full"):
                clinic.diary(yes("flag-redness"))
        assert clinic.everything() == before
        clinic.diary(yes("flag-redness"))
        assert len(clinic.ours("Flag")) == 1
        assert len(clinic.alerts()) == 1

    @pytest.mark.parametrize(
        "elements", [{"status": "entered-in-error"}, {"item": [{"linkId": "flag-redness"}]}], ids=["error", "corrected"]
    )
    def test_it_is_never_withdrawn_by_itself(self, clinic: Clinic, elements: Resource) -> None:
        clinic.operated()
        clinic.diary(yes("flag-redness"))
        clinic.answer(
            f"{BASE}/Questionnaire/calcinosis-recovery-diary",
            "diary-1",
            "2026-03-19T08:00:00+01:00",
            elements.get("item", [yes("flag-redness")]),
            status=elements.get("status", "amended"),
        )
        [flag] = clinic.ours("Flag")
        task = clinic.one("Task", "flag-redness")
        assert (flag["status"], task["status"]) == ("active", "requested")
        question = clinic.one("Task", "confirm-cancellation")
        assert question["focus"] == {"reference": reference_to(task)}
        assert question["owner"]["reference"] == "PractitionerRole/coordinator"

    def test_a_task_that_the_office_completed_stays_completed(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.diary(yes("flag-redness"))
        clinic.change(clinic.one("Task", "flag-redness"), status="completed")
        clinic.react_again("QuestionnaireResponse", "diary-1")
        assert clinic.one("Task", "flag-redness")["status"] == "completed"
        assert len(clinic.alerts()) == 1

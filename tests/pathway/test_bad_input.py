"""What cannot be acted on: it is stored, a person is asked, it is explained, and the follow-up is not lost."""

from __future__ import annotations

from typing import Any

import pytest

from pathway.codes import BASE, POSTOP_VISIT, SHARED_DECISION
from pathway.ports import Resource
from pathway.references import reference_to
from tests.pathway.conftest import OTHER_OPERATION, Clinic, coded, period, yes

EVENING = "2026-03-16T18:00"
DAY_AFTER = "2026-03-17T00:00"
WINDOW = {"start": "2026-03-23", "end": "2026-03-30"}

UNUSABLE = {
    "no date": (
        {},
        "surgery-date-missing",
        "The surgery is recorded as completed without a date.",
    ),
    "only a year": (
        {"performedDateTime": "2026"},
        "surgery-date-partial",
        "The date of the surgery is incomplete: 2026.",
    ),
    "year and month": (
        {"performedDateTime": "2026-03"},
        "surgery-date-partial",
        "The date of the surgery is incomplete: 2026-03.",
    ),
    "performedString": (
        {"performedString": "last Monday"},
        "surgery-date-not-a-date",
        "The date of the surgery is given as performedString, not as a date.",
    ),
    "performedAge": (
        {"performedAge": {"value": 61, "unit": "years", "system": "http://unitsofmeasure.org", "code": "a"}},
        "surgery-date-not-a-date",
        "The date of the surgery is given as performedAge, not as a date.",
    ),
    "performedRange": (
        {"performedRange": {"low": {"value": 60}, "high": {"value": 62}}},
        "surgery-date-not-a-date",
        "The date of the surgery is given as performedRange, not as a date.",
    ),
    "a period without end": (
        {"performedPeriod": {"start": "2026-03-16T08:00:00+01:00"}},
        "surgery-end-missing",
        "The surgery began on 2026-03-16T08:00:00+01:00, but its end is not recorded.",
    ),
    "in the future": (
        {"performedDateTime": "2026-03-17"},
        "surgery-in-future",
        "The surgery is recorded as completed on 2026-03-17, which is in the future.",
    ),
    "not done": (
        {"status": "not-done", "performedDateTime": "2026-03-16"},
        "surgery-not-done",
        "The operation is recorded as not done.",
    ),
    "entered in error": (
        {"status": "entered-in-error", "performedDateTime": "2026-03-16"},
        "surgery-entered-in-error",
        "The record of the operation was entered in error.",
    ),
    "status unknown": (
        {"status": "unknown", "performedDateTime": "2026-03-16"},
        "surgery-ambiguous",
        "The status of the operation is unknown.",
    ),
    "another code near the date": (
        {"code": OTHER_OPERATION, "performedDateTime": "2026-03-16", "basedOn": []},
        "surgery-other-code",
        "A procedure with another code took place on 2026-03-16, near the surgery planned for 2026-03-16: "
        "is it the excision?",
    ),
}


def asked(clinic: Clinic, reason: str, sentence: str, about: str) -> None:
    """One review Task, one entry in quarantine, both with the reason."""
    [(code, task)] = clinic.reviews().items()
    assert code == reason
    assert task["description"] == sentence
    assert task["reasonCode"]["text"] == sentence
    assert task["code"]["coding"][0]["code"] == "review"
    assert (task["status"], task["priority"]) == ("requested", "urgent")
    assert task["owner"] == {"reference": "PractitionerRole/coordinator", "display": "coordinator"}
    assert task["focus"] == {"reference": about}
    assert clinic.is_sent(task)
    assert [(q.reason, q.explanation, q.reference) for q in clinic.quarantine()] == [(reason, sentence, about)]


def provisional(clinic: Clinic) -> Resource:
    """The follow-up as it was planned from the intended date, with no Appointment yet."""
    task = clinic.one("Task", "fu-first-visit")
    assert task["status"] == "draft"
    assert task["businessStatus"]["coding"][0]["code"] == "provisional"
    assert task["restriction"]["period"] == WINDOW
    assert clinic.ours("Appointment") == []
    return task


@pytest.mark.parametrize("case", UNUSABLE)
class TestAProcedureThatCannotBeUsed:
    def record(self, clinic: Clinic, case: str) -> tuple[str, str]:
        elements, reason, sentence = UNUSABLE[case]
        clinic.booked()
        clinic.at(EVENING)
        clinic.record(**{"basedOn": [clinic.excision()], **elements})
        return reason, sentence

    def test_is_kept_and_a_person_is_asked(self, clinic: Clinic, case: str) -> None:
        reason, sentence = self.record(clinic, case)
        asked(clinic, reason, sentence, "Procedure/pr1")
        [task] = clinic.reviews().values()
        assert task["for"] == {"reference": "Patient/p1"}
        assert task["basedOn"] == [{"reference": reference_to(clinic.ours("CarePlan")[0])}]
        stored = clinic.read("Procedure", "pr1")
        assert UNUSABLE[case][0].items() <= stored.items()

    def test_changes_nothing_else(self, clinic: Clinic, case: str) -> None:
        clinic.booked()
        clinic.at(EVENING)
        before, due = clinic.versions(), clinic.due_work()
        clinic.record(**{"basedOn": [clinic.excision()], **UNUSABLE[case][0]})
        [task] = clinic.reviews().values()
        assert clinic.versions() - before == {"Procedure/pr1": 1, reference_to(task): 1}
        assert clinic.due_work() == due
        assert not clinic.is_sent(provisional(clinic))

    def test_does_not_lose_the_follow_up(self, clinic: Clinic, case: str) -> None:
        self.record(clinic, case)
        if case == "in the future":
            clinic.record(performedDateTime="2026-04-17", basedOn=[clinic.excision()])
        clinic.at(DAY_AFTER)
        clinic.release()
        assert clinic.is_sent(provisional(clinic))
        assert clinic.one("Task", "rule-surgery-unknown")["status"] == "requested"

    def test_asks_once_however_often_it_is_looked_at(self, clinic: Clinic, case: str) -> None:
        self.record(clinic, case)
        before = clinic.everything()
        clinic.react_again("Procedure", "pr1")
        assert clinic.everything() == before

    def test_once_put_right_it_is_used(self, clinic: Clinic, case: str) -> None:
        self.record(clinic, case)
        clinic.record(performedPeriod=period("2026-03-16"), basedOn=[clinic.excision()])
        task = clinic.one("Task", "fu-first-visit")
        assert (task["status"], task["restriction"]["period"]) == ("requested", WINDOW)
        assert clinic.one("Appointment", "fu-first-visit-appointment")["status"] == "proposed"


def test_a_day_that_is_in_the_future_is_used_once_it_has_come(clinic: Clinic) -> None:
    clinic.booked()
    clinic.at(EVENING)
    clinic.record(performedDateTime="2026-03-17", basedOn=[clinic.excision()])
    clinic.at(DAY_AFTER)
    clinic.release()
    task = clinic.one("Task", "fu-first-visit")
    assert task["status"] == "requested"
    assert task["restriction"]["period"] == {"start": "2026-03-24", "end": "2026-03-31"}
    assert clinic.ours("Task", "rule-surgery-unknown") == []


class TestAnOperationThatWasStopped:
    def test_asks_a_person_and_sends_the_provisional_follow_up_at_once(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at(EVENING)
        clinic.record(status="stopped", performedPeriod=period("2026-03-16"), basedOn=[clinic.excision()])
        asked(clinic, "surgery-stopped", "The operation was begun and stopped.", "Procedure/pr1")
        assert clinic.is_sent(provisional(clinic))

    def test_counts_from_the_day_it_was_begun(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at("2026-03-17T18:00")
        clinic.record(status="stopped", performedDateTime="2026-03-17", basedOn=[clinic.excision()])
        task = clinic.one("Task", "fu-first-visit")
        assert task["status"] == "draft"
        assert task["restriction"]["period"] == {"start": "2026-03-24", "end": "2026-03-31"}

    def test_without_a_date_counts_from_the_planned_one(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at(EVENING)
        clinic.record(status="stopped", basedOn=[clinic.excision()])
        assert clinic.is_sent(provisional(clinic))

    def test_may_still_be_completed(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at(EVENING)
        clinic.record(status="stopped", performedPeriod=period("2026-03-16"), basedOn=[clinic.excision()])
        clinic.record("pr2", performedPeriod=period("2026-03-16"), basedOn=[clinic.excision()])
        assert clinic.one("Task", "fu-first-visit")["status"] == "requested"
        assert len(clinic.ours("Appointment")) == 1


class TestEnteredInErrorAfterTheTasksExist:
    ERROR = "The record of the operation was entered in error."

    def error(self, clinic: Clinic) -> None:
        clinic.record(status="entered-in-error", performedPeriod=period("2026-03-16"), basedOn=[clinic.excision()])

    def test_the_follow_up_is_provisional_again(self, clinic: Clinic) -> None:
        clinic.operated()
        self.error(clinic)
        asked(clinic, "surgery-entered-in-error", self.ERROR, "Procedure/pr1")
        task = clinic.one("Task", "fu-first-visit")
        assert task["status"] == "requested"
        assert task["businessStatus"]["coding"][0]["code"] == "provisional"
        assert task["restriction"]["period"] == WINDOW

    def test_the_proposed_visit_is_withdrawn(self, clinic: Clinic) -> None:
        clinic.operated()
        self.error(clinic)
        visit = clinic.one("Appointment", "fu-first-visit-appointment")
        assert (visit["status"], visit["comment"]) == ("cancelled", "not so: the surgery is done")
        assert clinic.due("rule-visit-unbooked") == [("rule-visit-unbooked", "cancelled", "2026-03-19T00:00:00", 1)]

    def test_a_booked_visit_is_asked_about(self, clinic: Clinic) -> None:
        clinic.operated()
        visit = clinic.book_visit()
        self.error(clinic)
        assert clinic.one("Appointment", "fu-first-visit-appointment")["status"] == "booked"
        question = clinic.one("Task", "confirm-cancellation")
        assert question["focus"] == {"reference": reference_to(visit)}

    def test_the_day_after_somebody_is_asked_what_happened(self, clinic: Clinic) -> None:
        clinic.operated()
        self.error(clinic)
        clinic.at(DAY_AFTER)
        clinic.release()
        assert clinic.one("Task", "rule-surgery-unknown")["status"] == "requested"

    def test_the_right_record_makes_the_follow_up_firm_again(self, clinic: Clinic) -> None:
        clinic.operated()
        self.error(clinic)
        clinic.record("pr2", performedPeriod=period("2026-03-16"), basedOn=[clinic.excision()])
        task = clinic.one("Task", "fu-first-visit")
        assert task["status"] == "requested"
        assert "businessStatus" not in task

    def test_the_right_record_proposes_a_visit_again(self, clinic: Clinic) -> None:
        clinic.operated()
        self.error(clinic)
        clinic.record("pr2", performedPeriod=period("2026-03-16"), basedOn=[clinic.excision()])
        assert "proposed" in {visit["status"] for visit in clinic.ours("Appointment")}


class TestAProcedureThatIsNotOurs:
    def test_of_an_unknown_patient_is_kept_and_looked_at(self, clinic: Clinic) -> None:
        clinic.booked()
        before = clinic.versions()
        clinic.record(performedDateTime="2026-03-01", subject={"reference": "Patient/p9"})
        asked(
            clinic,
            "surgery-unplanned",
            "A surgery is recorded for a patient who is not on the pathway.",
            "Procedure/pr1",
        )
        [task] = clinic.reviews().values()
        assert "for" not in task
        assert "basedOn" not in task
        assert clinic.versions() - before == {"Procedure/pr1": 1, reference_to(task): 1}

    def test_of_a_patient_who_was_never_referred_too(self, clinic: Clinic) -> None:
        clinic.arrive()
        clinic.record(performedDateTime="2026-03-01")
        assert list(clinic.reviews()) == ["surgery-unplanned"]
        assert clinic.reviews()["surgery-unplanned"]["for"] == {"reference": "Patient/p1"}

    def test_of_a_patient_for_whom_nothing_is_decided_too(self, clinic: Clinic) -> None:
        clinic.enrolled()
        clinic.record(performedDateTime="2026-03-01")
        asked(
            clinic,
            "surgery-unplanned",
            "A surgery is recorded for which no decision and no plan exists here.",
            "Procedure/pr1",
        )

    @pytest.mark.parametrize(
        "elements",
        [{"performedDateTime": "2026-01-10"}, {}, {"performedDateTime": "2026-03-16", "status": "entered-in-error"}],
        ids=["long before", "no date", "entered in error"],
    )
    def test_of_another_code_and_far_from_the_date_is_only_kept(self, clinic: Clinic, elements: Any) -> None:
        clinic.booked()
        clinic.at(EVENING)
        before = clinic.versions()
        clinic.record(code=OTHER_OPERATION, **elements)
        assert clinic.versions() - before == {"Procedure/pr1": 1}
        assert clinic.quarantine() == []

    def test_of_another_code_and_an_unknown_patient_is_nobody_s_business(self, clinic: Clinic) -> None:
        clinic.record(code=OTHER_OPERATION, performedDateTime="2026-03-16")
        assert clinic.all("Task") == []
        assert clinic.quarantine() == []

    def test_reported_twice_changes_nothing(self, clinic: Clinic) -> None:
        clinic.operated()
        before = clinic.everything()
        clinic.record(performedPeriod=period("2026-03-16"), basedOn=[clinic.excision()])
        assert clinic.everything() == before


class TestAnswersThatDoNotFit:
    UNKNOWN = {"linkId": "dec-favourite-colour", "answer": [{"valueString": "blue"}]}  # noqa: RUF012
    WRONG = {"linkId": "dec-record-outcome", "answer": [{"valueBoolean": True}]}  # noqa: RUF012

    @pytest.mark.parametrize(
        ("item", "sentence"),
        [
            (UNKNOWN, "The answers cannot be used: The questionnaire has no question 'dec-favourite-colour'"),
            (WRONG, "The answers cannot be used: "),
            (
                coded("dec-record-outcome", f"{BASE}/CodeSystem/decision-outcome", "perhaps"),
                "The answers cannot be used: ",
            ),
        ],
        ids=["unknown question", "wrong type", "unknown option"],
    )
    def test_are_kept_and_a_person_is_asked(self, clinic: Clinic, item: Resource, sentence: str) -> None:
        clinic.enrolled()
        clinic.indicate()
        before = clinic.versions()
        surgery = coded("dec-record-outcome", f"{BASE}/CodeSystem/decision-outcome", "surgery")
        items = [item] if item["linkId"] == "dec-record-outcome" else [surgery, item]
        clinic.answer(SHARED_DECISION, "decision-1", "2026-03-03T10:00:00+01:00", items)
        [(reason, task)] = clinic.reviews().items()
        assert reason == "response-invalid"
        assert task["description"].startswith(sentence)
        assert task["focus"] == {"reference": "QuestionnaireResponse/decision-1"}
        assert task["owner"]["reference"] == "PractitionerRole/coordinator"
        assert [(q.reason, q.explanation) for q in clinic.quarantine()] == [("response-invalid", task["description"])]
        assert clinic.versions() - before == {"QuestionnaireResponse/decision-1": 1, reference_to(task): 1}
        assert clinic.ours("ServiceRequest") == []

    def test_are_not_used_later_either(self, clinic: Clinic) -> None:
        clinic.enrolled()
        clinic.indicate()
        surgery = coded("dec-record-outcome", f"{BASE}/CodeSystem/decision-outcome", "surgery")
        clinic.answer(SHARED_DECISION, "decision-1", "2026-03-03T10:00:00+01:00", [surgery, self.UNKNOWN])
        clinic.react_again("Patient", "p1")
        assert clinic.ours("ServiceRequest") == []

    def test_of_the_visit_do_not_complete_the_follow_up(self, clinic: Clinic) -> None:
        clinic.operated()
        wrong = {"linkId": "sutures-to-remove", "answer": [{"valueString": "yes"}]}
        clinic.answer(POSTOP_VISIT, "visit-1", "2026-03-26T10:30:00+01:00", [wrong])
        assert list(clinic.reviews()) == ["response-invalid"]
        assert clinic.one("Task", "fu-first-visit")["status"] == "requested"

    def test_put_right_they_are_used(self, clinic: Clinic) -> None:
        clinic.enrolled()
        clinic.indicate()
        clinic.answer(SHARED_DECISION, "decision-1", "2026-03-03T10:00:00+01:00", [self.WRONG])
        clinic.decide("surgery")
        assert len(clinic.ours("ServiceRequest", "proc-excision")) == 1

    def test_of_a_form_that_is_not_ours_are_only_kept(self, clinic: Clinic) -> None:
        clinic.enrolled()
        before = clinic.versions()
        clinic.answer("https://else.example/Questionnaire/diet", "diet-1", "2026-03-03", [yes("vegan")])
        assert clinic.versions() - before == {"QuestionnaireResponse/diet-1": 1}
        assert clinic.quarantine() == []


def test_a_record_that_nobody_foresaw_is_kept_and_explained(clinic: Clinic) -> None:
    clinic.booked()
    before = clinic.versions()
    clinic.record(performedPeriod="yesterday")
    assert clinic.versions() - before == {"Procedure/pr1": 1}
    assert [(q.reason, q.explanation, q.reference) for q in clinic.quarantine()] == [
        (
            "exception",
            "It could not be understood (AttributeError). It is kept; a person has to look at it.",
            "Procedure/pr1",
        )
    ]


def test_a_record_that_nobody_foresaw_does_not_stop_the_pathway_of_its_patient(clinic: Clinic) -> None:
    clinic.booked()
    clinic.record(performedPeriod="yesterday")
    clinic.at(EVENING)
    clinic.record("pr2", performedPeriod=period("2026-03-16"), basedOn=[clinic.excision()])
    assert clinic.one("Task", "fu-first-visit")["status"] == "requested"

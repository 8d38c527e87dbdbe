"""A visit that was missed, cancelled or planned too late gets another day, and one open Appointment at most."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pathway.ports import Resource
from pathway.references import reference_to
from pathway.site import ClinicCalendar, Closure
from tests.pathway.conftest import Clinic, period

POSTOP = "https://calcinosis-pathway.example/fhir/Questionnaire/calcinosis-postop-visit"
VISIT = "fu-first-visit-appointment"
OPEN = ("proposed", "pending", "booked", "arrived", "checked-in", "waitlist")


def visits(clinic: Clinic) -> list[tuple[str, str]]:
    """Status and day of every visit, oldest first."""
    found = [
        (r["status"], r.get("requestedPeriod", [{"start": "no day"}])[0]["start"]) for r in clinic.ours("Appointment")
    ]
    assert sum(status in OPEN for status, _ in found) <= 1
    return found


def missed(clinic: Clinic, day: str, at: str) -> None:
    clinic.operated()
    visit = clinic.book_visit(day)
    clinic.at(at)
    clinic.change(visit, status="noshow")


class TestNoShow:
    def test_another_day_in_the_window_is_proposed_and_the_missed_one_stays(self, clinic: Clinic) -> None:
        missed(clinic, "2026-03-26", "2026-03-26T18:00")
        assert visits(clinic) == [("noshow", "2026-03-26"), ("proposed", "2026-03-27")]
        again = clinic.ours("Appointment")[1]
        assert again["comment"] == (
            "Fri 27 Mar 2026 is the open clinic day nearest to the target in the window Mon 23 Mar 2026 to "
            "Mon 30 Mar 2026 (Thu 26 Mar 2026, the target day, has passed)."
        )
        assert clinic.is_sent(again)

    def test_the_coordinator_has_to_find_the_patient(self, clinic: Clinic) -> None:
        missed(clinic, "2026-03-26", "2026-03-26T18:00")
        task = clinic.one("Task", "fu-missed-visit-noshow")
        assert (task["status"], task["priority"]) == ("requested", "urgent")
        assert clinic.ours("Task", "rule-visit-unbooked") == []
        assert clinic.ours("Task", "visit-to-book") == []

    def test_with_no_open_day_left_it_is_the_earliest_after_the_window_and_said(self, clinic: Clinic) -> None:
        missed(clinic, "2026-03-30", "2026-03-30T18:00")
        assert visits(clinic)[1] == ("proposed", "2026-03-31")
        again = clinic.ours("Appointment")[1]
        assert again["comment"] == (
            "Tue 31 Mar 2026 is OUTSIDE the window Mon 23 Mar 2026 to Mon 30 Mar 2026, in which no day is left: it is "
            "the earliest with a place."
        )
        question = clinic.one("Task", "visit-to-book")
        assert (question["priority"], question["focus"]) == ("urgent", {"reference": reference_to(again)})
        assert again["comment"] in question["description"]

    def test_days_on_which_the_clinic_is_closed_are_passed_over(self, clinic: Clinic) -> None:
        move = Closure(first=date(2026, 3, 31), last=date(2026, 4, 6), reason="the clinic moves")
        calendar = ClinicCalendar(country="DE", subdivision="BY", closures=(move,))
        clinic.site = clinic.site.model_copy(update={"calendar": calendar})
        missed(clinic, "2026-03-30", "2026-03-30T18:00")
        assert visits(clinic)[1] == ("proposed", "2026-04-07")

    def test_after_the_window_it_is_no_second_question(self, clinic: Clinic) -> None:
        missed(clinic, "2026-03-30", "2026-03-31T08:00")
        clinic.release()
        assert clinic.one("Task", "fu-missed-visit")["status"] == "requested"
        assert clinic.ours("Task", "visit-to-book") == []

    def test_a_second_no_show_is_a_visit_and_a_task_of_its_own(self, clinic: Clinic) -> None:
        missed(clinic, "2026-03-26", "2026-03-26T18:00")
        clinic.change(clinic.one("Task", "fu-missed-visit-noshow"), status="completed")
        second = clinic.ours("Appointment")[1]
        clinic.change(second, status="booked", start="2026-03-27T10:00:00+01:00", end="2026-03-27T11:00:00+01:00")
        clinic.at("2026-03-27T18:00")
        clinic.change(second, status="noshow")
        assert visits(clinic) == [("noshow", "2026-03-26"), ("noshow", "2026-03-27"), ("proposed", "2026-03-30")]
        assert sorted(t["status"] for t in clinic.ours("Task", "fu-missed-visit-noshow")) == ["completed", "requested"]

    def test_the_new_booking_is_reminded_of(self, clinic: Clinic) -> None:
        missed(clinic, "2026-03-26", "2026-03-26T18:00")
        again = clinic.ours("Appointment")[1]
        clinic.change(again, status="booked", start="2026-03-30T10:00:00+02:00", end="2026-03-30T11:00:00+02:00")
        assert clinic.due("fu-attend-all-1d") == [("fu-attend-all-1d", "scheduled", "2026-03-29T09:00:00", 2)]

    def test_the_new_visit_completes_the_follow_up(self, clinic: Clinic) -> None:
        missed(clinic, "2026-03-26", "2026-03-26T18:00")
        again = clinic.ours("Appointment")[1]
        clinic.change(again, status="fulfilled", start="2026-03-30T10:00:00+02:00", end="2026-03-30T11:00:00+02:00")
        assert clinic.one("Task", "fu-first-visit")["status"] == "completed"
        assert clinic.one("Task", "fu-missed-visit-noshow")["status"] == "completed"

    def test_corrected_by_the_hospital_the_proposal_goes(self, clinic: Clinic) -> None:
        missed(clinic, "2026-03-26", "2026-03-26T18:00")
        clinic.change(clinic.ours("Appointment")[0], status="fulfilled")
        assert [status for status, _ in visits(clinic)] == ["fulfilled", "cancelled"]
        assert clinic.one("Task", "fu-missed-visit-noshow")["status"] in ("cancelled", "completed")

    def test_looking_again_changes_nothing(self, clinic: Clinic) -> None:
        missed(clinic, "2026-03-26", "2026-03-26T18:00")
        before = clinic.everything()
        for visit in clinic.ours("Appointment"):
            clinic.react_again("Appointment", visit["id"])
        assert clinic.everything() == before


class TestCancelledAtTheHospital:
    def test_a_booked_visit_is_asked_for_again_and_somebody_knows_why(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.change(clinic.book_visit(), status="cancelled")
        assert visits(clinic) == [("cancelled", "2026-03-26"), ("proposed", "2026-03-26")]
        question = clinic.one("Task", "visit-to-book")
        assert question["reasonCode"]["coding"][0]["code"] == "visit-to-book"
        assert question["owner"]["reference"] == "PractitionerRole/coordinator"
        assert "The visit of 2026-03-26 was cancelled at the hospital" in question["description"]

    def test_booked_again_the_question_is_none_any_more(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.change(clinic.book_visit(), status="cancelled")
        again = clinic.ours("Appointment")[1]
        clinic.change(again, status="booked", start="2026-03-27T10:00:00+01:00", end="2026-03-27T11:00:00+01:00")
        assert clinic.one("Task", "visit-to-book")["status"] == "cancelled"

    def test_one_that_was_only_proposed_is_asked_about_and_not_proposed_for_ever(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.change(clinic.one("Appointment", VISIT), status="cancelled")
        assert visits(clinic) == [("cancelled", "2026-03-26")]
        assert "cancelled at the hospital before it was booked" in clinic.one("Task", "visit-to-book")["description"]

    def test_the_hospital_has_another_one_after_the_same_operation(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.book("2026-03-27", id="theirs")
        clinic.change(clinic.book_visit(), status="cancelled")
        assert visits(clinic) == [("cancelled", "2026-03-26")]

    def test_after_the_visit_took_place_nothing_more_is_asked_for(self, clinic: Clinic) -> None:
        clinic.operated()
        visit = clinic.book_visit()
        clinic.change(clinic.one("Task", "fu-first-visit"), status="completed")
        clinic.change(visit, status="cancelled")
        assert visits(clinic) == [("cancelled", "2026-03-26")]
        assert clinic.ours("Task", "visit-to-book") == []


class TestDaysThatHavePassed:
    def test_a_surgery_recorded_on_day_20_is_overdue_at_once(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at("2026-04-05T10:00")  # Easter Sunday
        clinic.record(performedDateTime="2026-03-16", basedOn=[clinic.excision()])
        task = clinic.one("Task", "fu-missed-visit")
        assert (task["status"], task["priority"]) == ("requested", "urgent")
        assert visits(clinic) == [("proposed", "2026-04-07")]
        assert clinic.one("Appointment", VISIT)["comment"].startswith(
            "Tue 7 Apr 2026 is OUTSIDE the window Mon 23 Mar 2026 to Mon 30 Mar 2026, in which no day is left"
        )

    def test_a_proposed_day_that_passes_moves_on(self, clinic: Clinic) -> None:
        clinic.operated()
        seen = []
        for day in ("2026-03-25", "2026-03-26", "2026-03-27", "2026-03-28", "2026-03-31"):
            clinic.at(f"{day}T12:00")
            clinic.react_again("Procedure", "pr1")
            seen.append(visits(clinic)[0][1])
        assert seen == ["2026-03-26", "2026-03-26", "2026-03-30", "2026-03-30", "2026-04-01"]

    def test_a_booked_day_stays_however_late_it_was_proposed(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at("2026-03-28T10:00")
        clinic.record(performedDateTime="2026-03-16", basedOn=[clinic.excision()])
        clinic.book_visit("2026-03-30")
        clinic.at("2026-04-01T10:00")
        clinic.react_again("Procedure", "pr1")
        assert visits(clinic) == [("booked", "2026-03-30")]
        assert clinic.ours("Task", "confirm-date") == []

    def test_and_is_asked_about_when_its_window_moves(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at("2026-03-28T10:00")
        clinic.record(performedDateTime="2026-03-16", basedOn=[clinic.excision()])
        clinic.book_visit("2026-03-30")
        clinic.record(performedPeriod=period("2026-03-20"), basedOn=[clinic.excision()])
        assert clinic.one("Task", "confirm-date")["status"] == "requested"

    def test_without_an_open_day_in_the_window_a_person_is_asked_at_once(self, clinic: Clinic) -> None:
        move = Closure(first=date(2026, 3, 20), last=date(2026, 4, 6), reason="the clinic moves")
        clinic.site = clinic.site.model_copy(update={"calendar": ClinicCalendar(closures=(move,))})
        clinic.operated()
        assert visits(clinic) == [("waitlist", "no day")]
        question = clinic.one("Task", "visit-to-book")
        assert (question["status"], question["priority"]) == ("requested", "urgent")
        assert "No open clinic day in the window Mon 23 Mar 2026 to Mon 30 Mar 2026" in question["description"]

    def test_and_after_the_window_the_earliest_open_day_is_proposed(self, clinic: Clinic) -> None:
        move = Closure(first=date(2026, 3, 20), last=date(2026, 4, 6), reason="the clinic moves")
        clinic.site = clinic.site.model_copy(update={"calendar": ClinicCalendar(closures=(move,))})
        clinic.operated()
        clinic.at("2026-03-31T00:00")
        clinic.release()
        assert visits(clinic) == [("proposed", "2026-04-07")]
        assert clinic.one("Task", "visit-to-book")["status"] == "cancelled"

    def test_a_clinic_that_never_opens_is_a_person_s_matter(self, clinic: Clinic) -> None:
        clinic.site = clinic.site.model_copy(update={"calendar": ClinicCalendar(weekdays=frozenset())})
        clinic.operated()
        clinic.at("2026-04-02T09:00")
        clinic.release()
        assert visits(clinic) == [("waitlist", "no day")]
        assert clinic.one("Task", "fu-missed-visit")["status"] == "requested"


@pytest.mark.parametrize("what", ["form", "encounter"])
def test_a_visit_that_took_place_without_a_booking_is_proposed_no_more(clinic: Clinic, what: str) -> None:
    clinic.operated()
    clinic.at("2026-03-25T18:00")
    visit: Resource = clinic.one("Appointment", VISIT)
    if what == "form":
        clinic.answer(POSTOP, "visit-1", "2026-03-25T10:30:00+01:00", [])
    else:
        clinic.put(encounter(visit))
    assert clinic.one("Task", "fu-first-visit")["status"] == "completed"
    assert visits(clinic) == [("cancelled", "2026-03-26")]


def encounter(visit: Resource) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": "Patient/p1"},
        "appointment": [{"reference": reference_to(visit)}],
    }

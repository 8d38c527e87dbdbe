"""What is not answered in its time goes on to the next person: a missed visit, and a warning sign."""

from __future__ import annotations

from typing import Any

import pytest

from pathway.ports import Resource
from pathway.references import reference_to
from pathway.site import ClinicCalendar, Closure, Parameters
from tests.pathway.conftest import Clinic, yes
from tests.pathway.forms import visit

MISSED = "fu-missed-visit"
IN_TIME = "fu-not-reached-in-time"
ATTEMPTS = "fu-not-reached-attempts"
PRIMARY_CARE = "fu-not-reached-primary-care"
BACKUP = "red-flag-backup"


def overdue(clinic: Clinic) -> Resource:
    """No visit by the end of day 14, which was Monday 30 March."""
    clinic.operated()
    clinic.at("2026-03-31T00:00")
    clinic.release()
    return clinic.one("Task", MISSED)


def attempt(clinic: Clinic, number: int, task: Resource, status: str = "not-done", **elements: Any) -> None:
    """Somebody at the hospital tried to reach the patient."""
    clinic.put(
        {
            "resourceType": "Communication",
            "id": f"call-{number}",
            "status": status,
            "subject": {"reference": "Patient/p1"},
            "about": [{"reference": reference_to(task)}],
            **elements,
        }
    )


def with_own(clinic: Clinic, **values: Any) -> None:
    clinic.site = clinic.site.model_copy(update={"parameters": Parameters(pathway=values)})
    clinic.pathway = type(clinic.pathway)(clinic.pathway.library, clinic.site, clinic.choosing)


def called(clinic: Clinic) -> list[str]:
    return [alert.code for alert in clinic.alerts()]


class TestMissedVisit:
    def test_the_coordinator_has_a_working_day(self, clinic: Clinic) -> None:
        task = overdue(clinic)
        assert task["restriction"]["period"] == {
            "start": "2026-03-31T00:00:00+02:00",
            "end": "2026-04-01T00:00:00+02:00",
        }
        assert clinic.due(IN_TIME) == [(IN_TIME, "scheduled", "2026-04-01T00:00:00", 1)]

    def test_then_the_surgeon_is_asked_and_called(self, clinic: Clinic) -> None:
        task = overdue(clinic)
        clinic.at("2026-04-01T00:00")
        clinic.release()
        asked = clinic.one("Task", IN_TIME)
        assert (asked["status"], asked["priority"]) == ("requested", "urgent")
        assert asked["owner"]["reference"] == "PractitionerRole/surgeon"
        assert asked["focus"] == {"reference": reference_to(task)}
        assert called(clinic) == [IN_TIME]
        assert clinic.one("Task", MISSED)["status"] == "requested"

    def test_then_primary_care_after_two_working_days_over_easter(self, clinic: Clinic) -> None:
        overdue(clinic)
        clinic.at("2026-04-01T00:00")
        clinic.release()
        assert clinic.one("Task", IN_TIME)["restriction"]["period"]["end"] == "2026-04-03T00:00:00+02:00"
        clinic.at("2026-04-03T00:00")
        clinic.release()
        asked = clinic.one("Task", PRIMARY_CARE)
        assert asked["owner"]["reference"] == "PractitionerRole/primary-care"
        assert called(clinic) == [IN_TIME, PRIMARY_CARE]

    def test_after_downtime_each_step_has_its_time(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.at("2026-05-04T10:00")
        clinic.release()
        assert clinic.one("Task", MISSED)["restriction"]["period"]["end"] == "2026-05-05T10:00:00+02:00"
        assert clinic.ours("Task", IN_TIME) == []

    @pytest.mark.parametrize("status", ["booked", "fulfilled"])
    def test_a_visit_that_is_booked_or_took_place_stops_it(self, clinic: Clinic, status: str) -> None:
        overdue(clinic)
        clinic.change(
            clinic.one("Appointment", "fu-first-visit-appointment"),
            status=status,
            start="2026-04-02T10:00:00+02:00",
            end="2026-04-02T11:00:00+02:00",
        )
        clinic.at("2026-04-01T00:00")
        clinic.release()
        assert clinic.ours("Task", IN_TIME) == []

    def test_a_patient_who_was_reached_stops_it(self, clinic: Clinic) -> None:
        attempt(clinic, 1, overdue(clinic), "completed")
        clinic.at("2026-04-01T00:00")
        clinic.release()
        assert clinic.ours("Task", IN_TIME) == []

    def test_the_coordinator_who_completes_the_task_stops_it(self, clinic: Clinic) -> None:
        clinic.change(overdue(clinic), status="completed")
        clinic.at("2026-04-01T00:00")
        clinic.release()
        assert clinic.ours("Task", IN_TIME) == []

    @pytest.mark.parametrize("status", ["accepted", "rejected", "failed", "in-progress"])
    def test_no_other_answer_does(self, clinic: Clinic, status: str) -> None:
        clinic.change(overdue(clinic), status=status)
        clinic.at("2026-04-01T00:00")
        clinic.release()
        assert clinic.one("Task", IN_TIME)["status"] == "requested"

    def test_three_failed_attempts_bring_it_to_the_surgeon_at_once(self, clinic: Clinic) -> None:
        task = overdue(clinic)
        for number in (1, 2):
            attempt(clinic, number, task)
        assert clinic.ours("Task", ATTEMPTS) == []
        attempt(clinic, 3, task, about=[], basedOn=[{"reference": reference_to(task)}])
        asked = clinic.one("Task", ATTEMPTS)
        assert asked["owner"]["reference"] == "PractitionerRole/surgeon"
        assert called(clinic) == [ATTEMPTS]
        clinic.at("2026-04-01T00:00")
        clinic.release()
        assert clinic.ours("Task", IN_TIME) == []
        clinic.at("2026-04-02T00:00")
        clinic.release()
        assert clinic.one("Task", PRIMARY_CARE)["focus"] == {"reference": reference_to(asked)}

    def test_attempts_after_the_limit_are_no_second_task_for_the_surgeon(self, clinic: Clinic) -> None:
        task = overdue(clinic)
        clinic.at("2026-04-01T00:00")
        clinic.release()
        for number in (1, 2, 3):
            attempt(clinic, number, task)
        assert clinic.ours("Task", ATTEMPTS) == []

    def test_an_attempt_about_something_else_does_not_count(self, clinic: Clinic) -> None:
        overdue(clinic)
        for number in (1, 2, 3):
            attempt(clinic, number, clinic.one("Task", "fu-first-visit"))
        assert clinic.ours("Task", ATTEMPTS) == []

    def test_a_site_decides_on_attempts_and_limits(self, clinic: Clinic) -> None:
        with_own(clinic, contactAttempts=1, missedVisitLimitDays=2)
        task = overdue(clinic)
        assert task["restriction"]["period"]["end"] == "2026-04-02T00:00:00+02:00"
        attempt(clinic, 1, task)
        assert clinic.one("Task", ATTEMPTS)["status"] == "requested"

    def test_days_without_work_do_not_count(self, clinic: Clinic) -> None:
        move = Closure(first="2026-03-31", last="2026-04-10", reason="the clinic moves")  # type: ignore[arg-type]
        clinic.site = clinic.site.model_copy(update={"calendar": ClinicCalendar(closures=(move,))})
        clinic.pathway = type(clinic.pathway)(clinic.pathway.library, clinic.site, clinic.choosing)
        assert overdue(clinic)["restriction"]["period"]["end"] == "2026-04-14T00:00:00+02:00"

    def test_a_no_show_climbs_the_same_ladder(self, clinic: Clinic) -> None:
        clinic.operated()
        booked = clinic.book_visit()
        clinic.at("2026-03-26T18:00")
        clinic.change(booked, status="noshow")
        clinic.at("2026-03-27T18:00")
        clinic.release()
        assert clinic.one("Task", IN_TIME)["owner"]["reference"] == "PractitionerRole/surgeon"
        clinic.at("2026-03-31T00:00")
        clinic.release()
        clinic.at("2026-04-01T00:00")
        clinic.release()
        assert len(clinic.ours("Task", IN_TIME)) == 1

    def test_the_visit_completes_every_step(self, clinic: Clinic) -> None:
        overdue(clinic)
        for at in ("2026-04-01T00:00", "2026-04-03T00:00"):
            clinic.at(at)
            clinic.release()
        visit(clinic)
        assert {clinic.one("Task", step)["status"] for step in (MISSED, IN_TIME, PRIMARY_CARE)} == {"completed"}

    def test_looking_again_changes_nothing(self, clinic: Clinic) -> None:
        overdue(clinic)
        clinic.at("2026-04-01T00:00")
        clinic.release()
        before = clinic.everything()
        clinic.at("2026-04-01T15:00")
        clinic.react_again("Procedure", "pr1")
        assert clinic.everything() == before


class TestWarningSign:
    def raised(self, clinic: Clinic, sign: str = "flag-redness") -> Resource:
        clinic.operated()
        clinic.at("2026-03-19T08:00")
        clinic.diary(yes(sign))
        return clinic.one("Task", sign)

    def test_has_an_hour(self, clinic: Clinic) -> None:
        task = self.raised(clinic)
        assert task["restriction"]["period"]["end"] == "2026-03-19T09:00:00+01:00"
        assert clinic.due(BACKUP) == [(BACKUP, "scheduled", "2026-03-19T09:00:00", 1)]

    def test_then_primary_care_is_asked_and_called_and_both_see_it(self, clinic: Clinic) -> None:
        task = self.raised(clinic)
        clinic.at("2026-03-19T08:59")
        clinic.release()
        assert clinic.ours("Task", BACKUP) == []
        clinic.at("2026-03-19T09:00")
        clinic.release()
        backup = clinic.one("Task", BACKUP)
        assert backup["owner"]["reference"] == "PractitionerRole/primary-care"
        assert (backup["focus"], backup["partOf"]) == (task["focus"], [{"reference": reference_to(task)}])
        assert clinic.one("Task", "flag-redness")["status"] == "requested"
        assert sorted((alert.code, alert.priority) for alert in clinic.alerts()) == [
            ("flag-redness", "urgent"),
            (BACKUP, "urgent"),
        ]
        assert clinic.is_sent(backup)

    def test_an_emergency_has_a_quarter_of_an_hour(self, clinic: Clinic) -> None:
        self.raised(clinic, "flag-breathing-difficulty")
        clinic.at("2026-03-19T08:15")
        clinic.release()
        assert clinic.one("Task", BACKUP)["priority"] == "stat"
        assert [a.priority for a in clinic.alerts() if a.code == BACKUP] == ["stat"]

    @pytest.mark.parametrize("status", ["accepted", "in-progress", "completed"])
    def test_taken_up_in_time_nobody_else_is_asked(self, clinic: Clinic, status: str) -> None:
        clinic.change(self.raised(clinic), status=status)
        clinic.at("2026-03-19T09:00")
        clinic.release()
        assert clinic.ours("Task", BACKUP) == []

    @pytest.mark.parametrize("status", ["rejected", "failed", "cancelled"])
    def test_turned_down_it_goes_on(self, clinic: Clinic, status: str) -> None:
        clinic.change(self.raised(clinic), status=status, statusReason={"text": "not my patient"})
        clinic.at("2026-03-19T09:00")
        clinic.release()
        assert clinic.one("Task", BACKUP)["status"] == "requested"

    def test_assessed_by_the_surgeon_after_all_the_second_task_is_over(self, clinic: Clinic) -> None:
        task = self.raised(clinic)
        clinic.at("2026-03-19T09:00")
        clinic.release()
        clinic.change(task, status="completed")
        assert clinic.one("Task", BACKUP)["status"] == "completed"

    def test_a_routine_sign_waits_for_the_next_visit(self, clinic: Clinic) -> None:
        clinic.operated()
        visit(clinic, {"linkId": "fu-check-complications", "item": [yes("risk-recurrence")]})
        assert clinic.due(BACKUP) == []

    def test_each_sign_has_its_own(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.at("2026-03-19T08:00")
        clinic.diary(yes("flag-redness"), yes("flag-swelling"))
        clinic.change(clinic.one("Task", "flag-redness"), status="accepted")
        clinic.at("2026-03-19T09:00")
        clinic.release()
        swelling = clinic.one("Task", "flag-swelling")
        assert clinic.one("Task", BACKUP)["partOf"] == [{"reference": reference_to(swelling)}]

    def test_a_site_decides_on_the_limit(self, clinic: Clinic) -> None:
        with_own(clinic, flagLimitMinutes=10)
        assert self.raised(clinic)["restriction"]["period"]["end"] == "2026-03-19T08:10:00+01:00"

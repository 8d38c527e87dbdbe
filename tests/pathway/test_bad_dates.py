"""Dates and zones as nobody should write them: each has a clear state, and a person where one is needed."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pathway.keys import key_of
from pathway.ports import Resource
from pathway.references import reference_to
from pathway.site import Site
from tests.pathway.conftest import Clinic, period, yes

WINDOW = {"start": "2026-03-23", "end": "2026-03-30"}


def sought(clinic: Clinic, action: str = "fu-first-visit") -> Any:
    return clinic.one("Task", action).get("restriction", {}).get("period")


class TestNoZone:
    @pytest.mark.parametrize("value", ["2026-03-16", "2026-03-16T23:30:00"], ids=["a date", "a time without zone"])
    def test_the_day_of_a_surgery_is_the_clinic_s(self, clinic: Clinic, value: str) -> None:
        clinic.booked()
        clinic.at("2026-03-17T18:00")
        clinic.record(performedDateTime=value, basedOn=[clinic.excision()])
        assert sought(clinic) == WINDOW
        assert clinic.quarantine() == []

    def test_so_is_that_of_a_planned_one(self, clinic: Clinic) -> None:
        clinic.decided()
        clinic.book(start="2026-03-16T08:00:00")
        assert sought(clinic) == WINDOW

    def test_a_visit_booked_without_zone_is_reminded_of_until_its_day(self, clinic: Clinic) -> None:
        clinic.operated()
        visit = clinic.one("Appointment", "fu-first-visit-appointment")
        clinic.change(visit, status="booked", start="2026-03-26T10:00:00", end="2026-03-26T11:00:00")
        [work] = [w for w in clinic.due_work() if w.action == "fu-attend-all-1d"]
        assert work.wall_time == "2026-03-25T09:00:00"
        assert work.expires_at is not None
        assert work.expires_at.isoformat() == "2026-03-25T23:00:00+00:00"
        assert clinic.quarantine() == []

    @pytest.mark.parametrize("zone", ["CEST", "Europe/Atlantis", "", "+01:00"])
    def test_a_site_in_a_zone_that_does_not_exist_is_refused(self, clinic: Clinic, zone: str) -> None:
        with pytest.raises(ValidationError, match="is not an IANA time zone such as Europe/Berlin"):
            Site.model_validate({**clinic.site.model_dump(), "zone": zone})


class TestPlannedDate:
    @pytest.mark.parametrize("value", ["2026", "2026-03"])
    def test_an_incomplete_one_is_asked_about(self, clinic: Clinic, value: str) -> None:
        clinic.decided()
        order = clinic.one("ServiceRequest", "proc-excision")
        clinic.change(order, occurrenceDateTime=value)
        task = clinic.one("Task", "surgery-date-partial")
        assert task["description"].startswith(f"The planned date of the surgery is incomplete: {value}.")
        assert (task["status"], task["focus"]) == ("requested", {"reference": reference_to(order)})
        assert sought(clinic, "prep-transport") is None

    def test_with_a_day_the_question_is_none_any_more(self, clinic: Clinic) -> None:
        clinic.decided()
        order = clinic.one("ServiceRequest", "proc-excision")
        clinic.change(order, occurrenceDateTime="2026-03")
        clinic.change(order, occurrenceDateTime="2026-03-16")
        assert clinic.one("Task", "surgery-date-partial")["status"] == "cancelled"
        assert sought(clinic) == WINDOW

    def test_a_surgery_moved_into_the_past_is_asked_about_at_once(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at("2026-03-10T10:00")
        clinic.book("2026-03-05")
        assert clinic.one("Task", "rule-surgery-unknown")["priority"] == "urgent"
        assert sought(clinic) == {"start": "2026-03-12", "end": "2026-03-19"}
        assert clinic.is_sent(clinic.one("Task", "fu-first-visit"))

    def test_and_when_even_its_window_is_over_the_visit_is_overdue_too(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at("2026-03-25T10:00")
        clinic.book("2026-03-05")
        assert clinic.one("Task", "rule-surgery-unknown")["status"] == "requested"
        assert clinic.one("Task", "fu-missed-visit")["status"] == "requested"


class TestTwoOperationsOnOneDay:
    def orders(self, clinic: Clinic) -> list[Resource]:
        clinic.booked()
        clinic.decide("surgery", "decision-2", "2026-03-05T10:00:00+01:00", yes("add-additional-surgery"))
        first, second = clinic.ours("ServiceRequest", "proc-excision")
        clinic.book(id="a2", request=second if "decision-1" in str(key_of(first)) else first)
        clinic.at("2026-03-16T18:00")
        return [first, second]

    def test_a_record_that_says_which_is_used(self, clinic: Clinic) -> None:
        for number, order in enumerate(self.orders(clinic)):
            based_on = [{"reference": reference_to(order)}]
            clinic.record(f"pr{number}", performedPeriod=period("2026-03-16"), basedOn=based_on)
        assert [t["status"] for t in clinic.ours("Task", "fu-first-visit")] == ["requested", "requested"]
        assert len(clinic.ours("Appointment", "fu-first-visit-appointment")) == 2
        assert clinic.reviews() == {}

    def test_one_that_does_not_goes_to_a_person(self, clinic: Clinic) -> None:
        self.orders(clinic)
        clinic.record(performedPeriod=period("2026-03-16"))
        task = clinic.reviews()["surgery-ambiguous"]
        assert task["description"].startswith("This record fits 2 planned operations: say which one it is")
        assert clinic.ours("Appointment", "fu-first-visit-appointment") == []


class TestBothSides:
    """One order for both sides is one operation with one follow-up, however it is recorded."""

    def test_in_one_record(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at("2026-03-16T18:00")
        sides = [{"text": "left elbow"}, {"text": "right elbow"}]
        clinic.record(performedPeriod=period("2026-03-16"), basedOn=[clinic.excision()], bodySite=sides)
        assert len(clinic.ours("Appointment", "fu-first-visit-appointment")) == 1

    def test_in_a_record_for_each_side(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at("2026-03-16T18:00")
        for id, side in (("pr1", "left elbow"), ("pr2", "right elbow")):
            site = [{"text": side}]
            clinic.record(id, performedPeriod=period("2026-03-16"), basedOn=[clinic.excision()], bodySite=site)
        assert len(clinic.ours("Appointment", "fu-first-visit-appointment")) == 1
        assert clinic.reviews() == {}

    def test_on_two_days_a_person_says_which_counts(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at("2026-03-19T18:00")
        for id, day in (("pr1", "2026-03-16"), ("pr2", "2026-03-18")):
            clinic.record(id, performedPeriod=period(day), basedOn=[clinic.excision()])
        assert "recorded twice" in clinic.reviews()["surgery-ambiguous"]["description"]
        assert sought(clinic) == WINDOW

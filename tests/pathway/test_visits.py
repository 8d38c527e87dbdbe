"""The day of the follow-up visit over time: what takes it, what makes it stay, what moves it."""

from __future__ import annotations

from typing import Any

import pytest

from pathway.codes import BUSINESS_STATUS, KEY_SYSTEM
from pathway.ports import Resource, Update
from pathway.site import ClinicCalendar
from pathway.tags import tag_of
from schedules.duties import sweep
from tests.pathway.conftest import Clinic, period

VISIT = "fu-first-visit-appointment"
FULL, FREE = "2026-03-26", "2026-03-25"


@pytest.fixture
def small(clinic: Clinic) -> Clinic:
    """One visit a day."""
    decide(clinic, capacity=1)
    return clinic


def decide(clinic: Clinic, **calendar: Any) -> None:
    """The clinic has another calendar."""
    own = ClinicCalendar.model_validate({"country": "DE", "subdivision": "BY", **calendar})
    clinic.site = clinic.site.model_copy(update={"calendar": own})


def taken(clinic: Clinic, day: str, status: str = "proposed") -> None:
    """Somebody else's visit."""
    patient = {"actor": {"reference": f"Patient/of-{day}"}, "status": "needs-action"}
    with clinic.store.transaction(clinic.hospital) as tx:
        visit = {
            "resourceType": "Appointment",
            "id": f"visit-{day}",
            "identifier": [{"system": KEY_SYSTEM, "value": f"{clinic.hospital}:other:{day}"}],
            "status": status,
            "requestedPeriod": [{"start": day, "end": day}],
            "participant": [patient],
        }
        tx.transact([Update(visit)])


def swept(clinic: Clinic, at: str | None = None) -> Resource:
    """The visit after a round of the sweep."""
    if at is not None:
        clinic.at(at)
        clinic.release()
    sweep.run(clinic.store, lambda: clinic.pathway, clinic.now)
    return clinic.one("Appointment", VISIT)


def day_of(visit: Resource) -> str | None:
    return next((str(period["start"])[:10] for period in visit.get("requestedPeriod", [])), None)


class TestAFullDay:
    def test_is_left_out_and_stays_left_out(self, small: Clinic) -> None:
        taken(small, FULL)
        small.operated()
        assert day_of(swept(small)) == FREE
        taken(small, FULL, "cancelled")
        before = small.everything()
        assert day_of(swept(small)) == FREE
        assert small.everything() == before

    def test_counts_again_when_the_surgery_moves(self, small: Clinic) -> None:
        taken(small, FULL)
        small.operated()
        small.record(performedPeriod=period("2026-03-15"), basedOn=[small.excision()])
        assert day_of(small.one("Appointment", VISIT)) == FREE
        taken(small, FULL, "cancelled")
        small.record(performedPeriod=period("2026-03-16"), basedOn=[small.excision()])
        assert day_of(small.one("Appointment", VISIT)) == FULL

    def test_a_booking_for_a_full_day_is_the_hospitals_own(self, small: Clinic) -> None:
        small.operated()
        small.book_visit(FULL)
        taken(small, FULL)
        assert (swept(small)["status"], small.ours("Task", "confirm-date")) == ("booked", [])


class TestNoFreeDay:
    @pytest.fixture
    def waiting(self, small: Clinic) -> Clinic:
        for day in range(23, 31):
            taken(small, f"2026-03-{day}")
        small.operated()
        return small

    def test_goes_to_a_person_at_once(self, waiting: Clinic) -> None:
        visit, task = waiting.one("Appointment", VISIT), waiting.one("Task", "visit-to-book")
        assert (task["status"], task["priority"]) == ("requested", "urgent")
        assert task["owner"]["reference"] == "PractitionerRole/coordinator"
        assert visit["comment"] in task["description"]
        assert (visit["status"], day_of(visit)) == ("waitlist", None)
        assert tag_of(visit, BUSINESS_STATUS) == "no-day-free"
        assert "all 6 open days are full: a person has to find one" in visit["comment"]

    def test_a_place_that_becomes_free_is_proposed(self, waiting: Clinic) -> None:
        taken(waiting, "2026-03-24", "cancelled")
        visit = swept(waiting)
        assert (visit["status"], day_of(visit), tag_of(visit, BUSINESS_STATUS)) == ("proposed", "2026-03-24", None)
        assert waiting.one("Task", "visit-to-book")["status"] == "cancelled"


class TestAsTimePasses:
    def test_a_day_that_nobody_booked_gives_way_to_the_next(self, clinic: Clinic) -> None:
        clinic.operated()
        assert day_of(swept(clinic, "2026-03-26T23:00")) == "2026-03-26"
        assert day_of(swept(clinic, "2026-03-27T00:30")) == "2026-03-30"
        assert day_of(swept(clinic, "2026-03-30T09:00")) == "2026-03-30"
        assert clinic.ours("Task", "visit-to-book") == []

    def test_after_the_window_it_is_said_that_it_is_outside(self, clinic: Clinic) -> None:
        clinic.operated()
        visit = swept(clinic, "2026-03-31T00:30")
        assert (visit["status"], day_of(visit)) == ("proposed", "2026-04-01")
        assert tag_of(visit, BUSINESS_STATUS) == "outside-window"
        assert visit["comment"].startswith("Wed 1 Apr 2026 is OUTSIDE the window Mon 23 Mar 2026 to Mon 30 Mar 2026")
        assert clinic.one("Task", "fu-missed-visit")["priority"] == "urgent"

    def test_a_surgery_recorded_after_its_window(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at("2026-04-02T09:00")
        clinic.record(performedPeriod=period("2026-03-16"), basedOn=[clinic.excision()])
        clinic.release()
        visit = clinic.one("Appointment", VISIT)
        assert (day_of(visit), tag_of(visit, BUSINESS_STATUS)) == ("2026-04-07", "outside-window")
        assert clinic.one("Task", "fu-missed-visit")["status"] == "requested"

    def test_a_booked_visit_that_is_over_is_not_asked_about(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.book_visit()
        swept(clinic, "2026-04-20T09:00")
        assert clinic.ours("Task", "confirm-date") == []

    def test_another_target_moves_what_nobody_has_booked(self, clinic: Clinic) -> None:
        clinic.operated()
        parameters = clinic.site.parameters.model_copy(update={"target_day": 8})
        clinic.site = clinic.site.model_copy(update={"parameters": parameters})
        clinic.pathway = type(clinic.pathway)(clinic.pathway.library, clinic.site, clinic.choosing)
        assert day_of(swept(clinic)) == "2026-03-24"

    def test_another_target_asks_nobody_about_what_is_booked(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.book_visit()
        parameters = clinic.site.parameters.model_copy(update={"target_day": 8})
        clinic.site = clinic.site.model_copy(update={"parameters": parameters})
        clinic.pathway = type(clinic.pathway)(clinic.pathway.library, clinic.site, clinic.choosing)
        swept(clinic)
        assert clinic.ours("Task", "confirm-date") == []


class TestSlots:
    @pytest.fixture
    def slotted(self, clinic: Clinic) -> Clinic:
        decide(clinic, schedules=["Schedule/wounds"])
        for id, start in {"thu": "2026-03-26T08:00:00Z", "fri": "2026-03-27T08:00:00Z"}.items():
            offer(clinic, id, start)
        clinic.operated()
        return clinic

    def test_the_visit_is_sought_at_the_time_of_its_slot(self, slotted: Clinic) -> None:
        visit = slotted.one("Appointment", VISIT)
        assert (visit["status"], visit["slot"]) == ("proposed", [{"reference": "Slot/thu"}])
        times = {"start": "2026-03-26T09:00:00+01:00", "end": "2026-03-26T09:20:00+01:00"}
        assert visit["requestedPeriod"] == [times]
        assert "start" not in visit

    def test_a_slot_that_somebody_else_took(self, slotted: Clinic) -> None:
        offer(slotted, "thu", "2026-03-26T08:00:00Z", "busy")
        visit = swept(slotted)
        assert (visit["slot"], day_of(visit)) == ([{"reference": "Slot/fri"}], "2026-03-27")
        offer(slotted, "fri", "2026-03-27T08:00:00Z", "busy")
        visit = swept(slotted)
        assert (visit["status"], "slot" in visit, day_of(visit)) == ("waitlist", False, None)

    def test_a_slot_that_is_busy_with_this_visit(self, slotted: Clinic) -> None:
        slotted.book_visit()
        offer(slotted, "thu", "2026-03-26T08:00:00Z", "busy")
        assert swept(slotted)["slot"] == [{"reference": "Slot/thu"}]
        assert slotted.ours("Task", "confirm-date") == []


def offer(clinic: Clinic, id: str, start: str, status: str = "free") -> None:
    """The hospital has a Slot."""
    times = {"start": start, "end": start.replace(":00:00", ":20:00")}
    clinic.put(
        {"resourceType": "Slot", "id": id, "schedule": {"reference": "Schedule/wounds"}, "status": status, **times}
    )

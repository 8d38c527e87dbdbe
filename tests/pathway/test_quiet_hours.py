"""Messages reach a patient on her own clock, never in quiet hours, and never when they are of no use any more."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pathway.quiet_hours import TIMEZONE, QuietHours, zone_of
from pathway.site import Parameters
from tests.pathway.conftest import Clinic

NIGHT = QuietHours(time(20), time(8), "Europe/Berlin")
NOON = QuietHours(time(12), time(14), "Europe/Berlin")
LATE = datetime(2027, 1, 1, tzinfo=UTC)


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)


def in_zone(zone: str) -> dict[str, Any]:
    return {"extension": [{"url": TIMEZONE, "valueCode": zone}]}


class TestAllowed:
    @pytest.mark.parametrize(
        ("at", "allowed"),
        [
            ("2026-03-23T19:59", "2026-03-23T19:59"),
            ("2026-03-23T20:00", "2026-03-24T08:00"),
            ("2026-03-24T00:00", "2026-03-24T08:00"),
            ("2026-03-24T07:59", "2026-03-24T08:00"),
            ("2026-03-24T08:00", "2026-03-24T08:00"),
        ],
    )
    def test_over_midnight(self, at: str, allowed: str) -> None:
        assert NIGHT.allowed(berlin(at), LATE) == berlin(allowed)

    @pytest.mark.parametrize(
        ("at", "allowed"),
        [("11:59", "11:59"), ("12:00", "14:00"), ("13:59", "14:00"), ("14:00", "14:00"), ("23:00", "23:00")],
    )
    def test_within_a_day(self, at: str, allowed: str) -> None:
        assert NOON.allowed(berlin(f"2026-03-23T{at}"), LATE) == berlin(f"2026-03-23T{allowed}")

    def test_of_no_use_when_they_end_it_goes_before_they_begin(self) -> None:
        assert NIGHT.allowed(berlin("2026-03-26T07:00"), berlin("2026-03-26T07:30")) == berlin("2026-03-25T19:59")
        assert NIGHT.allowed(berlin("2026-03-26T07:00"), berlin("2026-03-26T08:00")) == berlin("2026-03-25T19:59")
        assert NIGHT.allowed(berlin("2026-03-26T07:00"), berlin("2026-03-26T08:01")) == berlin("2026-03-26T08:00")

    def test_the_same_hour_twice_is_no_quiet_hours(self) -> None:
        assert QuietHours(time(8), time(8), "UTC").allowed(berlin("2026-03-23T03:00"), LATE) == berlin(
            "2026-03-23T03:00"
        )

    @pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
    def test_eight_o_clock_stays_eight_o_clock_when_the_clocks_change(self, day: str) -> None:
        assert NIGHT.allowed(berlin(f"{day}T01:00"), LATE) == berlin(f"{day}T08:00")

    def test_an_end_that_the_clock_skips_is_the_next_hour(self) -> None:
        hours = QuietHours(time(20), time(2, 30), "Europe/Berlin")
        assert hours.until(berlin("2026-03-29T01:00")) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


class TestZone:
    def test_of_the_patient_or_an_address_else_of_the_clinic(self) -> None:
        assert zone_of(in_zone("Asia/Tokyo"), "Europe/Berlin") == "Asia/Tokyo"
        assert zone_of({"address": [{}, in_zone("Asia/Tokyo")]}, "Europe/Berlin") == "Asia/Tokyo"
        assert zone_of({}, "Europe/Berlin") == "Europe/Berlin"

    @pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "CEST?"])
    def test_one_that_is_not_known_is_passed_over(self, zone: str) -> None:
        patient = {**in_zone(zone), "address": [in_zone("Asia/Tokyo")]}
        assert zone_of(in_zone(zone), "Europe/Berlin") == "Europe/Berlin"
        assert zone_of(patient, "Europe/Berlin") == "Asia/Tokyo"


class TestReminders:
    """The visit is on Thursday, 26 March, at ten."""

    def booked(self, clinic: Clinic, hour: int = 10, **patient: Any) -> None:
        clinic.operated()
        if patient:
            clinic.arrive(**patient)
        visit = clinic.one("Appointment", "fu-first-visit-appointment")
        at = f"2026-03-26T{hour:02}:00:00+01:00"
        clinic.change(visit, status="booked", start=at, end=at.replace(":00:00", ":30:00"))

    def messages(self, clinic: Clinic) -> list[str]:
        """Which were sent."""
        found = [r["identifier"][0]["value"].split(":")[3] for r in clinic.ours("CommunicationRequest")]
        return [action.removeprefix("fu-attend-all-") for action in found]

    def test_at_nine_o_clock_where_the_patient_lives(self, clinic: Clinic) -> None:
        self.booked(clinic, **in_zone("America/New_York"))
        [work] = [w for w in clinic.due_work() if w.action == "fu-attend-all-1d"]
        assert (work.wall_time, work.zone) == ("2026-03-25T09:00:00", "America/New_York")
        assert work.due_at == datetime(2026, 3, 25, 13, tzinfo=UTC)

    def test_one_that_is_late_waits_for_the_morning_and_is_still_sent(self, clinic: Clinic) -> None:
        self.booked(clinic)
        clinic.at("2026-03-25T23:00")
        clinic.release()
        assert self.messages(clinic) == []
        assert clinic.due("fu-attend-all-1d") == [("fu-attend-all-1d", "scheduled", "2026-03-26T08:00:00", 2)]
        clinic.at("2026-03-26T07:59")
        clinic.release()
        assert self.messages(clinic) == []
        clinic.at("2026-03-26T08:00")
        clinic.release()
        assert self.messages(clinic) == ["1d"]

    def test_one_that_could_only_come_after_the_visit_began_expires_and_is_counted(self, clinic: Clinic) -> None:
        self.booked(clinic, hour=8)
        clinic.at("2026-03-25T23:00")
        clinic.release()
        clinic.at("2026-03-26T08:00")
        clinic.release()
        assert self.messages(clinic) == []
        assert [state for _, state, _, _ in clinic.due("fu-attend-all-3d", "fu-attend-all-1d")] == [
            "expired",
            "expired",
        ]

    def test_late_at_night_looking_again_changes_nothing(self, clinic: Clinic) -> None:
        self.booked(clinic)
        clinic.at("2026-03-25T23:00")
        clinic.release()
        before = clinic.everything()
        clinic.at("2026-03-26T03:00")
        clinic.release()
        clinic.react_again("Procedure", "pr1")
        assert clinic.everything() == before

    def test_booked_at_night_the_message_waits_too(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.at("2026-03-25T22:00")
        clinic.book_visit("2026-03-26")
        assert self.messages(clinic) == []
        clinic.at("2026-03-26T08:00")
        clinic.release()
        assert self.messages(clinic) == ["1d"]

    def test_after_a_downtime_there_is_one_message_and_not_two(self, clinic: Clinic) -> None:
        self.booked(clinic)
        clinic.at("2026-03-25T09:30")
        clinic.release()
        assert self.messages(clinic) == ["1d"]
        assert clinic.due("fu-attend-all-3d") == [("fu-attend-all-3d", "expired", "2026-03-23T09:00:00", 1)]

    def test_one_that_is_late_and_of_use_is_sent(self, clinic: Clinic) -> None:
        self.booked(clinic)
        clinic.at("2026-03-24T17:00")
        clinic.release()
        assert self.messages(clinic) == ["3d"]

    def test_a_year_later_nothing_is_sent_and_the_tasks_are_there(self, clinic: Clinic) -> None:
        self.booked(clinic)
        clinic.at("2027-03-25T09:00")
        clinic.release()
        assert self.messages(clinic) == []
        assert clinic.one("Task", "fu-missed-visit")["status"] == "requested"

    def test_a_site_that_reminds_in_its_own_quiet_hours(self, clinic: Clinic) -> None:
        parameters = Parameters(reminder_time=time(7), quiet_from=time(21), quiet_until=time(9, 30))
        clinic.site = clinic.site.model_copy(update={"parameters": parameters})
        clinic.pathway = type(clinic.pathway)(clinic.pathway.library, clinic.site, clinic.choosing)
        self.booked(clinic)
        assert clinic.due("fu-attend-all-1d") == [("fu-attend-all-1d", "scheduled", "2026-03-25T09:30:00", 1)]

    def test_a_task_keeps_no_quiet_hours(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.at("2026-03-31T00:00")
        clinic.release()
        assert clinic.one("Task", "fu-missed-visit")["status"] == "requested"

"""What falls due, when, and that it happens once: however late, however often, whatever fails beside it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pathway.due_work import Claim, DueWork
from pathway.intake import Pathway
from pathway.references import reference_to
from schedules.duties import release
from tests.pathway.conftest import ZONE, Clinic


def plan(clinic: Clinic, work: DueWork) -> None:
    with clinic.store.transaction(clinic.hospital) as tx:
        tx.due.plan(work)


def work(key: str, due_at: datetime, **elements: Any) -> DueWork:
    known = {"wall_time": "2026-03-02T00:00", "zone": "Europe/Berlin", "care_plan": "CarePlan/nobody", "why": "test"}
    return DueWork(key, due_at=due_at, **{"kind": "start", "action": "test", **known, **elements})


def states(clinic: Clinic) -> dict[str, str]:
    return {one.key: one.state for one in clinic.due_work()}


class TestSurgeryUnknown:
    def test_not_before_the_day_after_the_planned_date(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at("2026-03-16T23:59:59")
        assert clinic.release() == 0
        assert clinic.ours("Task", "rule-surgery-unknown") == []

    def test_at_midnight_of_the_clinic_the_coordinator_is_asked(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at("2026-03-17T00:00")
        assert clinic.clinical == datetime(2026, 3, 16, 23, tzinfo=UTC)
        assert clinic.release() == 1
        task = clinic.one("Task", "rule-surgery-unknown")
        assert (task["status"], task["priority"]) == ("requested", "urgent")
        assert task["code"]["text"] == "Find out what happened to the surgery"
        assert task["owner"]["reference"] == "PractitionerRole/coordinator"
        assert task["focus"] == clinic.excision()
        assert clinic.is_sent(task)
        assert clinic.due("rule-surgery-unknown") == [("rule-surgery-unknown", "done", "2026-03-17T00:00:00", 1)]

    def test_and_the_follow_up_is_sent_as_it_is_marked_provisional(self, clinic: Clinic) -> None:
        clinic.booked()
        before = clinic.one("Task", "fu-first-visit")
        clinic.at("2026-03-17T00:00")
        clinic.release()
        after = clinic.one("Task", "fu-first-visit")
        assert after == before
        assert after["status"] == "draft"
        assert after["businessStatus"]["text"] == "Provisional: planned from the intended date of surgery"
        assert clinic.is_sent(after)
        assert clinic.ours("Appointment") == []

    def test_nothing_else_that_is_provisional_is_sent(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at("2026-03-17T00:00")
        clinic.release()
        drafts = {t["code"]["text"] for t in clinic.ours("Task") if t["status"] == "draft" and clinic.is_sent(t)}
        assert drafts == {"First follow-up visit"}

    def test_a_recorded_surgery_is_not_asked_for(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.at("2026-03-17T00:00")
        assert clinic.release() == 1
        assert clinic.ours("Task", "rule-surgery-unknown") == []

    def test_a_record_that_comes_late_answers_the_question(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at("2026-03-17T00:00")
        clinic.release()
        clinic.record(performedDateTime="2026-03-16", basedOn=[clinic.excision()])
        asked = clinic.one("Task", "rule-surgery-unknown")
        assert asked["status"] == "completed"
        assert asked["statusReason"] == {"text": "the surgery was recorded"}
        assert clinic.one("Task", "fu-first-visit")["status"] == "requested"

    def test_a_surgery_that_was_put_off_is_asked_for_anew(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at("2026-03-17T00:00")
        clinic.release()
        clinic.book("2026-03-20")
        [first] = clinic.ours("Task", "rule-surgery-unknown")
        assert first["status"] == "cancelled"
        clinic.at("2026-03-21T00:00")
        clinic.release()
        assert [task["status"] for task in clinic.ours("Task", "rule-surgery-unknown")] == ["cancelled", "requested"]


class TestVisit:
    def test_not_booked_three_days_after_the_surgery(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.at("2026-03-18T23:59")
        clinic.release()
        assert clinic.ours("Task", "rule-visit-unbooked") == []
        clinic.at("2026-03-19T00:00")
        clinic.release()
        task = clinic.one("Task", "rule-visit-unbooked")
        assert (task["status"], task["priority"]) == ("requested", "urgent")
        assert task["owner"]["reference"] == "PractitionerRole/coordinator"

    def test_booking_it_then_answers(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.at("2026-03-19T00:00")
        clinic.release()
        clinic.book_visit()
        task = clinic.one("Task", "rule-visit-unbooked")
        assert (task["status"], task["statusReason"]) == ("completed", {"text": "booked"})

    def test_booked_in_time_nobody_is_asked(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.book_visit()
        clinic.at("2026-03-19T00:00")
        clinic.release()
        assert clinic.ours("Task", "rule-visit-unbooked") == []

    def test_day_14_ends_at_midnight_of_day_15(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.at("2026-03-30T23:59:59")
        clinic.release()
        assert clinic.ours("Task", "fu-missed-visit") == []
        clinic.at("2026-03-31T00:00")
        assert clinic.clinical == datetime(2026, 3, 30, 22, tzinfo=UTC)  # summer time since the 29th
        clinic.release()
        task = clinic.one("Task", "fu-missed-visit")
        assert (task["status"], task["priority"]) == ("requested", "urgent")
        assert task["code"]["text"] == "Find the patient: no follow-up visit by day 14"
        assert task["owner"]["reference"] == "PractitionerRole/coordinator"

    def test_a_visit_that_took_place_is_not_missed(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.change(clinic.book_visit(), status="fulfilled")
        clinic.at("2026-03-31T00:00")
        clinic.release()
        assert clinic.ours("Task", "fu-missed-visit") == []

    def test_a_visit_that_takes_place_late_answers(self, clinic: Clinic) -> None:
        clinic.operated()
        visit = clinic.book_visit("2026-03-30")
        clinic.at("2026-03-31T00:00")
        clinic.release()
        clinic.change(visit, status="fulfilled")
        assert clinic.one("Task", "fu-missed-visit")["status"] == "completed"
        assert clinic.one("Task", "fu-first-visit")["status"] == "completed"

    def test_an_unknown_surgery_can_have_a_missed_visit(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at("2026-03-31T00:00")
        clinic.release()
        assert clinic.one("Task", "fu-missed-visit")["status"] == "requested"


class TestReminders:
    def test_three_days_and_one_day_before_at_nine(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.book_visit("2026-03-30")
        assert clinic.due("fu-attend-all-3d", "fu-attend-all-1d") == [
            ("fu-attend-all-3d", "scheduled", "2026-03-27T09:00:00", 1),
            ("fu-attend-all-1d", "scheduled", "2026-03-29T09:00:00", 1),
        ]
        before, after = (w for w in clinic.due_work() if w.action.startswith("fu-attend-all"))
        assert before.due_at == datetime(2026, 3, 27, 8, tzinfo=UTC)
        assert after.due_at == datetime(2026, 3, 29, 7, tzinfo=UTC)  # nine o'clock too, on the day the clocks change
        assert before.expires_at == after.due_at  # one message and not two, when both are late
        assert after.expires_at == datetime(2026, 3, 30, 8, tzinfo=UTC)  # the visit begins

    def test_a_message_to_the_patient_about_the_visit(self, clinic: Clinic) -> None:
        clinic.operated()
        visit = clinic.book_visit()
        clinic.at("2026-03-23T08:59")
        clinic.release()
        assert clinic.ours("CommunicationRequest") == []
        clinic.at("2026-03-23T09:00")
        clinic.release()
        [message] = clinic.ours("CommunicationRequest")
        assert message["status"] == "active"
        assert message["recipient"] == [{"reference": "Patient/p1"}]
        assert message["about"] == [{"reference": reference_to(visit)}]
        assert message["occurrenceDateTime"] == "2026-03-23T08:00:00Z"
        assert clinic.is_sent(message)

    def test_only_of_a_booked_visit(self, clinic: Clinic) -> None:
        clinic.operated()
        assert clinic.due("fu-attend-all-3d", "fu-attend-all-1d") == []

    def test_each_once(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.book_visit()
        for day in ("2026-03-23", "2026-03-24", "2026-03-25", "2026-03-26"):
            clinic.at(f"{day}T09:00")
            clinic.release()
            clinic.react_again("Procedure", "pr1")
        assert [m["occurrenceDateTime"] for m in clinic.ours("CommunicationRequest")] == [
            "2026-03-25T08:00:00Z",
            "2026-03-23T08:00:00Z",
        ]

    def test_one_that_comes_late_is_still_sent_before_the_visit(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.book_visit()
        clinic.at("2026-03-26T08:30")
        clinic.release()
        assert len(clinic.ours("CommunicationRequest", "fu-attend-all-1d")) == 1

    def test_when_the_visit_has_begun_it_has_expired(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.book_visit()
        clinic.at("2026-03-26T10:00")
        clinic.release()
        assert clinic.ours("CommunicationRequest") == []
        assert clinic.due("fu-attend-all-3d", "fu-attend-all-1d") == [
            ("fu-attend-all-3d", "expired", "2026-03-23T09:00:00", 1),
            ("fu-attend-all-1d", "expired", "2026-03-25T09:00:00", 1),
        ]

    def test_they_move_with_the_visit(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.book_visit()
        clinic.book_visit("2026-03-30")
        assert clinic.due("fu-attend-all-3d", "fu-attend-all-1d") == [
            ("fu-attend-all-3d", "scheduled", "2026-03-27T09:00:00", 2),
            ("fu-attend-all-1d", "scheduled", "2026-03-29T09:00:00", 2),
        ]

    def test_one_that_was_made_for_the_old_date_is_revoked_and_comes_again(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.book_visit()
        clinic.at("2026-03-23T09:00")
        clinic.release()
        clinic.book_visit("2026-03-30")
        assert [m["status"] for m in clinic.ours("CommunicationRequest")] == ["revoked"]
        clinic.at("2026-03-27T09:00")
        clinic.release()
        assert [(m["status"], m["occurrenceDateTime"]) for m in clinic.ours("CommunicationRequest")] == [
            ("revoked", "2026-03-23T08:00:00Z"),
            ("active", "2026-03-27T08:00:00Z"),
        ]

    def test_a_visit_that_is_cancelled_is_not_reminded_of(self, clinic: Clinic) -> None:
        clinic.operated()
        clinic.change(clinic.book_visit(), status="cancelled")
        assert clinic.due("fu-attend-all-3d", "fu-attend-all-1d") == [
            ("fu-attend-all-3d", "cancelled", "2026-03-23T09:00:00", 1),
            ("fu-attend-all-1d", "cancelled", "2026-03-25T09:00:00", 1),
        ]


class TestRelease:
    def test_what_is_done_is_not_done_again(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at("2026-03-17T00:00")
        clinic.release()
        before = clinic.everything()
        assert clinic.release() == 0
        assert clinic.everything() == before

    def test_one_whose_plan_was_replaced_after_it_was_claimed_writes_nothing(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at("2026-03-17T00:00")
        [claim] = self.claims(clinic)
        clinic.book("2026-03-20")
        before = clinic.everything()
        assert release.release(clinic.store, clinic.pathway, claim, clinic.now()) is False
        assert clinic.everything() == before
        assert clinic.due("rule-surgery-unknown") == [("rule-surgery-unknown", "scheduled", "2026-03-21T00:00:00", 2)]

    def test_one_whose_lease_ran_out_and_was_taken_by_another_writes_nothing(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at("2026-03-17T00:00")
        [stale] = self.claims(clinic)
        clinic.wire.now += timedelta(minutes=5)
        [fresh] = self.claims(clinic)
        before = clinic.everything()
        assert release.release(clinic.store, clinic.pathway, stale, clinic.now()) is False
        assert clinic.everything() == before
        assert release.release(clinic.store, clinic.pathway, fresh, clinic.now()) is True
        assert len(clinic.ours("Task", "rule-surgery-unknown")) == 1

    def test_what_somebody_else_holds_is_left_alone(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.at("2026-03-17T00:00")
        self.claims(clinic)
        assert clinic.release() == 0
        assert clinic.ours("Task", "rule-surgery-unknown") == []

    def test_an_unknown_kind_is_put_aside_and_explained(self, clinic: Clinic) -> None:
        plan(clinic, work("north:odd", clinic.clinical, kind="fax"))
        clinic.release()
        assert states(clinic) == {"north:odd": "quarantined"}
        assert [(q.reason, q.explanation) for q in clinic.quarantine()] == [
            ("due-kind-unknown", "Due work that this version does not know: fax")
        ]

    def test_one_that_fails_does_not_stop_the_others(self, clinic: Clinic) -> None:
        clinic.booked()
        plan(clinic, work("north:poison", clinic.clinical))
        clinic.at("2026-03-17T00:00")
        assert clinic.release() == 1
        assert len(clinic.ours("Task", "rule-surgery-unknown")) == 1
        assert states(clinic)["north:poison"] == "scheduled"

    def test_it_is_tried_five_times_and_then_put_aside(self, clinic: Clinic) -> None:
        plan(clinic, work("north:poison", clinic.clinical))
        for _ in range(4):
            clinic.release()
            clinic.clinical += timedelta(seconds=31)
            assert states(clinic) == {"north:poison": "scheduled"}
        assert clinic.quarantine() == []
        clinic.release()
        [poison] = clinic.due_work()
        assert (poison.state, poison.attempt) == ("quarantined", 5)
        assert poison.last_error == "There is no CarePlan/nobody"
        assert [(q.reason, q.reference, q.version) for q in clinic.quarantine()] == [
            ("due-failed", "CarePlan/nobody", "north:poison/1")
        ]

    def test_not_before_its_next_turn(self, clinic: Clinic) -> None:
        plan(clinic, work("north:poison", clinic.clinical))
        clinic.release()
        clinic.release()
        assert clinic.due_work()[0].attempt == 1

    def test_a_record_that_nobody_foresaw_does_not_stop_the_others_either(self, clinic: Clinic) -> None:
        clinic.booked()
        clinic.put({"resourceType": "CarePlan", "id": "odd", "status": "active"})
        plan(clinic, work("north:odd", clinic.clinical, care_plan="CarePlan/odd"))
        clinic.at("2026-03-17T00:00")
        assert clinic.release() == 1
        [odd] = [w for w in clinic.due_work() if w.key == "north:odd"]
        assert (odd.state, odd.last_error) == ("scheduled", "KeyError: a record could not be understood")
        assert len(clinic.ours("Task", "rule-surgery-unknown")) == 1

    def test_a_failure_leaves_nothing_half_done(self, clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
        def advance_and_fail(pathway: Pathway, *arguments: Any) -> None:
            advance(pathway, *arguments)
            raise LookupError

        clinic.booked()
        clinic.at("2026-03-17T00:00")
        before, advance = clinic.versions(), Pathway.advance
        with monkeypatch.context() as patched:
            patched.setattr(Pathway, "advance", advance_and_fail)
            assert clinic.release() == 0
        assert clinic.versions() == before
        clinic.clinical += timedelta(seconds=31)
        assert clinic.release() == 1
        assert len(clinic.ours("Task", "rule-surgery-unknown")) == 1

    @pytest.mark.parametrize("count", [1, 250])
    def test_however_much_there_is(self, clinic: Clinic, count: int) -> None:
        clinic.enrolled()
        care_plan = reference_to(clinic.ours("CarePlan")[0])
        before = clinic.versions()
        for number in range(count):
            plan(clinic, work(f"north:{number}", clinic.clinical, care_plan=care_plan))
        assert clinic.release() == count
        assert set(states(clinic).values()) == {"done"}
        assert clinic.versions() == before

    def claims(self, clinic: Clinic) -> list[Claim]:
        return list(clinic.store.claim_due("north", clinic.clinical, 100, timedelta(seconds=60)))


def the_steps_of_the_ladder(clinic: Clinic) -> None:
    """Whoever is asked has her time, however late it is."""
    for _ in range(3):
        clinic.clinical += timedelta(days=7)
        clinic.release()


class TestAYearInOneJump:
    @pytest.mark.parametrize("booked", [False, True], ids=["visit not booked", "visit booked"])
    def test_everything_comes_to_an_end_and_nothing_is_sent_late(self, clinic: Clinic, booked: bool) -> None:
        clinic.operated()
        if booked:
            clinic.book_visit()
        clinic.clinical += timedelta(days=365)
        clinic.release()
        assert {w.action for w in clinic.due_work() if w.state == "scheduled"} == {"fu-not-reached-in-time"}
        the_steps_of_the_ladder(clinic)
        assert {w.state for w in clinic.due_work()} == ({"done", "expired"} if booked else {"done"})
        assert clinic.ours("CommunicationRequest") == []
        assert clinic.statuses("Task")["fu-missed-visit"] == "requested"
        assert len(clinic.ours("Task", "rule-visit-unbooked")) == (0 if booked else 1)
        assert clinic.release() == 0

    def test_day_by_day_or_in_one_jump_the_tasks_are_the_same(self, clinic: Clinic, content: Any) -> None:
        other = Clinic(clinic.store, clinic.wire, content, "south")
        for one in (clinic, other):
            one.operated()
        for _ in range(30):
            clinic.clinical += timedelta(days=1)
            clinic.release()
        other.clinical += timedelta(days=30)
        other.release()
        for one in (clinic, other):
            the_steps_of_the_ladder(one)
        assert clinic.statuses("Task") == other.statuses("Task")
        assert [replace(w, attempt=0).state for w in clinic.due_work()] == [w.state for w in other.due_work()]


def test_the_wall_time_and_the_zone_are_kept_beside_the_instant(clinic: Clinic) -> None:
    clinic.booked()
    for one in clinic.due_work():
        assert one.zone == "Europe/Berlin"
        assert one.due_at == datetime.fromisoformat(one.wall_time).replace(tzinfo=ZONE)
        assert one.care_plan == reference_to(clinic.ours("CarePlan")[0])
    assert [(w.window_low, w.window_high, w.why) for w in clinic.due_work()] == [
        ("2026-03-17", "2026-03-17", "Find out what happened to the surgery"),
        ("2026-03-31", "2026-03-31", "Find the patient: no follow-up visit by day 14"),
    ]

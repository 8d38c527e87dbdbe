"""Which Procedure is our surgery, when it is planned, and when it ended."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pathway.codes import KEY_SYSTEM
from pathway.ports import Resource
from pathway.surgery import Finding, Surgery, end_of, planned_date, recognised, status_finding
from tests.pathway.conftest import EXCISION, OTHER_OPERATION, site

BERLIN = "Europe/Berlin"
TODAY = date(2026, 3, 20)
SITE = site("north")
PLAN: Resource = {"resourceType": "CarePlan", "id": "plan-1"}
FIRST_REQUEST: Resource = {
    "resourceType": "ServiceRequest",
    "id": "sr-1",
    "identifier": [{"system": KEY_SYSTEM, "value": "north:r1:plan:proc-excision:d1"}],
}
SECOND_REQUEST: Resource = {"resourceType": "ServiceRequest", "id": "sr-2"}
FIRST = Surgery("d1", FIRST_REQUEST, planned=date(2026, 3, 16))
SECOND = Surgery("d2", SECOND_REQUEST, planned=date(2026, 4, 13))


def procedure(**elements: Any) -> Resource:
    return {"resourceType": "Procedure", "id": "pr1", "status": "completed", **elements}


def based_on(*references: str) -> list[Resource]:
    return [{"reference": reference} for reference in references]


def reason(match: Surgery | Finding | None) -> str:
    assert isinstance(match, Finding)
    return match.reason


class TestRecognition:
    def test_based_on_our_request_comes_first_whatever_its_code_and_date(self) -> None:
        record = procedure(
            basedOn=based_on("ServiceRequest/sr-2"), code=OTHER_OPERATION, performedDateTime="2026-03-16"
        )
        assert recognised(record, [FIRST, SECOND], PLAN, SITE) is SECOND

    def test_based_on_our_request_beats_our_identifier(self) -> None:
        record = procedure(basedOn=based_on("ServiceRequest/sr-2"), identifier=FIRST_REQUEST["identifier"])
        assert recognised(record, [SECOND, FIRST], PLAN, SITE) is SECOND
        assert recognised(record, [FIRST, SECOND], PLAN, SITE) is SECOND

    def test_our_plan_with_a_surgery_code(self) -> None:
        record = procedure(basedOn=based_on("CarePlan/plan-1"), code=EXCISION)
        assert recognised(record, [FIRST], PLAN, SITE) is FIRST

    def test_our_plan_without_a_surgery_code_is_not_enough(self) -> None:
        record = procedure(basedOn=based_on("CarePlan/plan-1"), code=OTHER_OPERATION, performedDateTime="2026-03-16")
        assert reason(recognised(record, [FIRST], PLAN, SITE)) == "surgery-other-code"

    def test_another_plan_is_another_matter(self) -> None:
        record = procedure(basedOn=based_on("CarePlan/plan-2"), code=EXCISION, performedDateTime="2026-03-16")
        assert recognised(record, [FIRST], PLAN, SITE) is None

    def test_our_identifier(self) -> None:
        record = procedure(identifier=FIRST_REQUEST["identifier"], code=OTHER_OPERATION)
        assert recognised(record, [SECOND, FIRST], PLAN, SITE) is FIRST

    def test_a_surgery_code_of_the_site(self) -> None:
        assert recognised(procedure(code=EXCISION), [FIRST], PLAN, SITE) is FIRST

    def test_of_several_operations_the_one_planned_for_that_day(self) -> None:
        record = procedure(code=EXCISION, performedPeriod={"end": "2026-04-13T09:00:00+02:00"})
        assert recognised(record, [FIRST, SECOND], PLAN, SITE) is SECOND

    def test_several_operations_and_none_on_that_day_is_ambiguous(self) -> None:
        record = procedure(code=EXCISION, performedDateTime="2026-04-01")
        match = recognised(record, [FIRST, SECOND], PLAN, SITE)
        assert match == Finding(
            "surgery-ambiguous",
            "This record fits 2 planned operations: say which one it is (Procedure.basedOn).",
        )

    def test_two_operations_planned_for_that_day_are_ambiguous(self) -> None:
        same_day = Surgery("d2", SECOND_REQUEST, planned=FIRST.planned)
        record = procedure(code=EXCISION, performedDateTime="2026-03-16")
        assert reason(recognised(record, [FIRST, same_day], PLAN, SITE)) == "surgery-ambiguous"

    def test_a_surgery_code_without_any_planned_operation(self) -> None:
        assert reason(recognised(procedure(code=EXCISION), [], PLAN, SITE)) == "surgery-unplanned"
        assert reason(recognised(procedure(code=EXCISION), [Surgery("d1", None)], PLAN, SITE)) == "surgery-unplanned"

    @pytest.mark.parametrize(
        ("day", "near"),
        [("2026-03-01", False), ("2026-03-02", True), ("2026-03-30", True), ("2026-03-31", False)],
    )
    def test_another_code_within_14_days_of_the_planned_date_is_for_a_person(self, day: str, near: bool) -> None:
        match = recognised(procedure(code=OTHER_OPERATION, performedDateTime=day), [FIRST], PLAN, SITE)
        assert match == (
            Finding(
                "surgery-other-code",
                f"A procedure with another code took place on {day}, near the surgery planned for 2026-03-16: "
                "is it the excision?",
            )
            if near
            else None
        )

    def test_another_code_without_a_date_is_no_surgery_of_ours(self) -> None:
        assert recognised(procedure(code=OTHER_OPERATION), [FIRST], PLAN, SITE) is None

    def test_another_code_near_a_surgery_that_is_recorded_already_is_left_alone(self) -> None:
        done = Surgery("d1", FIRST_REQUEST, planned=FIRST.planned, done_on=FIRST.planned)
        record = procedure(code=OTHER_OPERATION, performedDateTime="2026-03-18")
        assert recognised(record, [done], PLAN, SITE) is None

    def test_another_code_entered_in_error_is_left_alone(self) -> None:
        record = procedure(code=OTHER_OPERATION, performedDateTime="2026-03-16", status="entered-in-error")
        assert recognised(record, [FIRST], PLAN, SITE) is None


class TestPlannedDate:
    def appointment(self, **elements: Any) -> Resource:
        return {
            "resourceType": "Appointment",
            "id": "a1",
            "status": "booked",
            "start": "2026-03-16T08:00:00+01:00",
            "basedOn": based_on("ServiceRequest/sr-1"),
            **elements,
        }

    def test_the_start_of_the_appointment(self) -> None:
        assert planned_date(FIRST_REQUEST, [self.appointment()], BERLIN) == date(2026, 3, 16)

    def test_at_the_clinic(self) -> None:
        late = self.appointment(start="2026-03-16T23:30:00Z")
        assert planned_date(FIRST_REQUEST, [late], BERLIN) == date(2026, 3, 17)

    def test_the_appointment_wins_over_the_occurrence_of_the_request(self) -> None:
        request = {**FIRST_REQUEST, "occurrenceDateTime": "2026-03-20"}
        assert planned_date(request, [self.appointment()], BERLIN) == date(2026, 3, 16)

    @pytest.mark.parametrize("status", ["cancelled", "noshow", "entered-in-error"])
    def test_an_appointment_that_does_not_stand_is_passed_over(self, status: str) -> None:
        request = {**FIRST_REQUEST, "occurrenceDateTime": "2026-03-20"}
        assert planned_date(request, [self.appointment(status=status)], BERLIN) == date(2026, 3, 20)
        rebooked = self.appointment(start="2026-03-18T08:00:00+01:00")
        assert planned_date(request, [self.appointment(status=status), rebooked], BERLIN) == date(2026, 3, 18)

    def test_an_appointment_for_something_else_is_passed_over(self) -> None:
        assert planned_date(FIRST_REQUEST, [self.appointment(basedOn=based_on("ServiceRequest/x"))], BERLIN) is None

    def test_our_own_appointment_for_the_follow_up_is_passed_over(self) -> None:
        visit = self.appointment(identifier=[{"system": KEY_SYSTEM, "value": "north:r1:plan:visit"}])
        assert planned_date(FIRST_REQUEST, [visit], BERLIN) is None

    def test_the_start_of_a_period(self) -> None:
        request = {**FIRST_REQUEST, "occurrencePeriod": {"start": "2026-03-19", "end": "2026-03-20"}}
        assert planned_date(request, [], BERLIN) == date(2026, 3, 19)

    def test_a_month_is_no_planned_date(self) -> None:
        found = planned_date({**FIRST_REQUEST, "occurrenceDateTime": "2026-03"}, [], BERLIN)
        sentence = f"ServiceRequest/{FIRST_REQUEST['id']}.occurrenceDateTime is not the date of a day: 2026-03"
        assert found == Finding("surgery-date-partial", sentence)

    def test_nobody_has_planned_it(self) -> None:
        assert planned_date(FIRST_REQUEST, [], BERLIN) is None


class TestEnd:
    @pytest.mark.parametrize(
        ("performed", "day"),
        [
            ({"performedDateTime": "2026-03-16"}, date(2026, 3, 16)),
            ({"performedDateTime": "2026-03-16T23:30:00Z"}, date(2026, 3, 17)),
            ({"performedPeriod": {"end": "2026-03-16T10:00:00+01:00"}}, date(2026, 3, 16)),
            ({"performedPeriod": {"start": "2026-03-16T22:00:00+01:00", "end": "2026-03-17T01:00:00+01:00"}},
             date(2026, 3, 17)),
            ({"performedDateTime": "2026-03-20"}, date(2026, 3, 20)),
        ],
    )  # fmt: skip
    def test_the_day_on_which_it_ended(self, performed: Resource, day: date) -> None:
        assert end_of(procedure(**performed), BERLIN, TODAY) == day

    @pytest.mark.parametrize(
        ("performed", "expected"),
        [
            ({}, ("surgery-date-missing", "The surgery is recorded as completed without a date.")),
            ({"performedPeriod": {}}, ("surgery-date-missing", "The surgery is recorded as completed without a date.")),
            (
                {"performedDateTime": "2026"},
                ("surgery-date-partial", "The date of the surgery is incomplete: 2026."),
            ),
            (
                {"performedDateTime": "2026-02-30"},
                ("surgery-date-partial", "The date of the surgery is incomplete: 2026-02-30."),
            ),
            (
                {"performedPeriod": {"end": "2026-03"}},
                ("surgery-date-partial", "The date of the surgery is incomplete: 2026-03."),
            ),
            (
                {"performedString": "in March"},
                ("surgery-date-not-a-date", "The date of the surgery is given as performedString, not as a date."),
            ),
            (
                {"performedAge": {"value": 61, "code": "a"}},
                ("surgery-date-not-a-date", "The date of the surgery is given as performedAge, not as a date."),
            ),
            (
                {"performedRange": {"low": {"value": 60}}},
                ("surgery-date-not-a-date", "The date of the surgery is given as performedRange, not as a date."),
            ),
            (
                {"performedPeriod": {"start": "2026-03-16T08:00:00+01:00"}},
                (
                    "surgery-end-missing",
                    "The surgery began on 2026-03-16T08:00:00+01:00, but its end is not recorded.",
                ),
            ),
            (
                {"performedDateTime": "2026-03-21"},
                ("surgery-in-future", "The surgery is recorded as completed on 2026-03-21, which is in the future."),
            ),
        ],
    )
    def test_no_day_to_rely_on(self, performed: Resource, expected: tuple[str, str]) -> None:
        assert end_of(procedure(**performed), BERLIN, TODAY) == Finding(*expected)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("completed", None),
        ("preparation", None),
        ("in-progress", None),
        ("on-hold", None),
        ("stopped", "surgery-stopped"),
        ("not-done", "surgery-not-done"),
        ("entered-in-error", "surgery-entered-in-error"),
        ("unknown", "surgery-ambiguous"),
    ],
)
def test_a_status_that_a_person_has_to_look_at(status: str, expected: str | None) -> None:
    finding = status_finding(procedure(status=status))
    assert (finding.reason if finding else None) == expected

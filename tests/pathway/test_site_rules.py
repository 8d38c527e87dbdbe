"""A site's own values change the plan: its days, its gates, its routes; and each action names what it rests on."""

from __future__ import annotations

import re
from datetime import date

import pytest

from pathway.codes import PLAN
from pathway.elements import actions_of
from pathway.errors import InvalidDefinition
from pathway.library import Library
from pathway.parameters import CQF_EXPRESSION, Value, defaults, effective, named_by, resolved
from pathway.ports import Resource
from tests.pathway.conftest import Clinic, yes
from tests.pathway.forms import anesthesia, checklist, code, group, number, words
from tests.pathway.test_parameters import explained, with_own


def actions(plan: Resource) -> dict[str, Resource]:
    return {action["id"]: action for _, action in actions_of(plan)}


def days(action: Resource) -> tuple[int, int]:
    offset = action["relatedAction"][0]["offsetRange"]
    return offset["low"]["value"], offset["high"]["value"]


def window(clinic: Clinic, action: str) -> dict[str, str]:
    return dict(clinic.one("Task", action)["restriction"]["period"])


def test_the_defaults_are_the_contents_own_numbers(content: Library) -> None:
    assert resolved(content.plan(PLAN), defaults(content)) == content.plan(PLAN)
    assert resolved(content.plan(PLAN), {}) is content.plan(PLAN)


@pytest.mark.parametrize(
    ("action", "first", "last"),
    [
        ("fu-first-visit", "firstVisitFirstDay", "firstVisitLastDay"),
        ("fu-first-visit-appointment", "firstVisitFirstDay", "firstVisitLastDay"),
        ("fu-remove-stitches", "firstVisitFirstDay", "firstVisitLastDay"),
        ("fu-pathology-review", None, "firstVisitLastDay"),
        ("rec-light-activity", "lightActivityFirstDay", "lightActivityLastDay"),
        ("rec-desk-work", None, "deskWorkLastDay"),
        ("rec-return-to-work", "returnToWorkFirstDay", "returnToWorkLastDay"),
        ("rec-demanding-work", "demandingWorkFirstDay", "demandingWorkLastDay"),
        ("rec-demanding-tasks", "strenuousTasksFirstDay", "strenuousTasksLastDay"),
        ("rec-reduced-activity", "reducedActivityFirstDay", "reducedActivityLastDay"),
        ("rec-discharge", None, "escortLastDay"),
    ],
)
def test_the_days_of_an_action_are_the_sites(content: Library, action: str, first: str | None, last: str) -> None:
    own: dict[str, Value] = {last: 13, **({first: 11} if first else {})}
    plan = resolved(content.plan(PLAN), effective(content, own))
    assert days(actions(plan)[action]) == (11 if first else 0, 13)
    assert own.keys() <= named_by(actions(plan)[action])
    assert actions(plan)[action]["relatedAction"][0]["offsetRange"]["high"]["_value"]["extension"][0]["url"] == (
        CQF_EXPRESSION
    )


def test_the_goals_are_due_on_the_sites_days(content: Library) -> None:
    plan = resolved(content.plan(PLAN), effective(content, {"deskWorkLastDay": 5, "strenuousTasksLastDay": 50}))
    goal = next(g for g in plan["goal"] if g["id"] == "goal-return-to-activity")
    due = {t["measure"]["coding"][0]["code"]: t["due"]["value"] for t in goal["target"] if "due" in t}
    assert (due["rec-desk-work"], due["rec-demanding-tasks"], due["rec-light-activity"]) == (5, 50, 5)


def test_what_depends_on_a_parameter_names_nothing_else(content: Library) -> None:
    """An offset is known before anything is known of a patient."""
    for _, action in actions_of(content.plan(PLAN)):
        for related in action.get("relatedAction", []):
            assert named_by({"relatedAction": [related]}) <= defaults(content).keys()


def test_an_expression_without_one_value_is_refused() -> None:
    expression = {"language": "text/fhirpath", "expression": "%parameters.unheard"}
    extension = [{"url": CQF_EXPRESSION, "valueExpression": expression}]
    plan = {"action": [{"id": "a", "title": "A", "_title": {"extension": extension}}]}
    with pytest.raises(InvalidDefinition, match=re.escape("%parameters.unheard gives no single value")):
        resolved(plan, {"feverC": 38})


def test_an_inner_action_is_not_its_outer_ones(content: Library) -> None:
    assert named_by(actions(content.plan(PLAN))["milestones"]) == set()


class TestTheFirstVisit:
    def test_its_window_and_its_day_are_the_sites(self, clinic: Clinic) -> None:
        with_own(clinic, firstVisitFirstDay=11, firstVisitLastDay=21)
        clinic.operated()
        assert window(clinic, "fu-first-visit") == {"start": "2026-03-27", "end": "2026-04-06"}
        [period] = clinic.one("Appointment", "fu-first-visit-appointment")["requestedPeriod"]
        assert date(2026, 3, 27) <= date.fromisoformat(period["start"]) <= date(2026, 4, 6)

    def test_who_did_not_come_is_looked_for_on_the_day_after_the_sites_last_day(self, clinic: Clinic) -> None:
        with_own(clinic, firstVisitLastDay=21)
        clinic.operated()
        clinic.at("2026-04-06T23:59")
        clinic.release()
        assert clinic.ours("Task", "fu-missed-visit") == []
        clinic.at("2026-04-07T00:01")
        clinic.release()
        title = clinic.one("Task", "fu-missed-visit")["code"]["text"]
        assert title == "Find the patient: no follow-up visit by day 21"

    def test_what_is_planned_names_the_days_it_rests_on(self, clinic: Clinic) -> None:
        with_own(clinic, firstVisitLastDay=21)
        clinic.operated()
        assert explained(clinic, "fu-first-visit") == {"firstVisitFirstDay": 7, "firstVisitLastDay": 21}
        assert explained(clinic, "rec-light-activity") == {"lightActivityFirstDay": 2, "lightActivityLastDay": 5}


class TestWork:
    def returns_to(self, clinic: Clinic, demand: str) -> None:
        clinic.operated()
        checklist(clinic, group("time-off", code("occupation-demand", "occupation-demand", demand)))

    @pytest.mark.parametrize(
        ("demand", "action", "own", "last"),
        [
            ("desk", "rec-desk-work", {"deskWorkLastDay": 5}, "2026-03-21"),
            ("general", "rec-return-to-work", {"returnToWorkLastDay": 10}, "2026-03-26"),
            ("physical", "rec-demanding-work", {"demandingWorkLastDay": 30}, "2026-04-15"),
        ],
    )
    def test_the_surgeon_sets_the_day_within_the_sites_days(
        self, clinic: Clinic, demand: str, action: str, own: dict[str, Value], last: str
    ) -> None:
        with_own(clinic, **own)
        self.returns_to(clinic, demand)
        assert window(clinic, action)["end"] == last

    def test_work_waits_for_the_first_visit_only_where_the_site_says_so(self, clinic: Clinic) -> None:
        with_own(clinic, gateWorkOnVisit=True)
        self.returns_to(clinic, "desk")
        assert clinic.ours("Task", "rec-desk-work") == []
        clinic.change(clinic.one("Task", "fu-first-visit"), status="completed")
        assert clinic.one("Task", "rec-desk-work")["status"] == "requested"


class TestWarningSigns:
    @pytest.mark.parametrize(
        ("sign", "action", "priority"),
        [
            (yes("flag-warmth"), "flag-warmth", "routine"),
            (code("flag-discharge", "wound-discharge", "clear"), "flag-discharge", "routine"),
            (code("flag-discharge", "wound-discharge", "pus"), "flag-discharge", "urgent"),
            (yes("flag-redness"), "flag-redness", "urgent"),
        ],
    )
    def test_the_alarm_list_only_drops_no_sign(
        self, clinic: Clinic, sign: Resource, action: str, priority: str
    ) -> None:
        with_own(clinic, redFlagSet="alarm-list")
        clinic.operated()
        clinic.diary(sign)
        assert clinic.one("Task", action)["priority"] == priority
        assert clinic.one("Flag", action)["status"] == "active"
        assert bool(clinic.alerts()) is (priority == "urgent")


class TestFasting:
    def chosen(self, clinic: Clinic, source: str) -> None:
        instruction = words("prep-fasting-override", "Nothing.")
        anesthesia(clinic, group("fasting", code("fasting-source", "fasting-source", source), instruction))

    @pytest.mark.parametrize(
        ("rule", "proposal"),
        [
            ("midnight-no-food-no-drink", "nothing from midnight on, not even water."),
            ("midnight-no-food-two-hours-no-clear-fluids", "clear fluids until two hours before."),
            ("none", "none; the instruction is yours."),
        ],
    )
    def test_clinicians_are_shown_the_sites_proposal(self, clinic: Clinic, rule: str, proposal: str) -> None:
        with_own(clinic, fastingDefault=rule)
        clinic.booked()
        note = clinic.one("Task", "prep-fasting-override")["note"][0]["text"]
        assert note.startswith("Proposal to start from, not confirmed: ")
        assert note.endswith(proposal)
        assert clinic.ours("CommunicationRequest", "prep-fasting") == []

    @pytest.mark.parametrize(
        ("allowed", "source", "confirmed"),
        [
            ("surgeon, anesthesia", "surgeon", True),
            ("anesthesia", "surgeon", False),
            ("anesthesia", "anesthesia", True),
            ("surgeon", "anesthesia", False),
            ("surgeon, anesthesia", "proposal", False),
        ],
    )
    def test_only_whom_the_site_names_confirms(
        self, clinic: Clinic, allowed: str, source: str, confirmed: bool
    ) -> None:
        with_own(clinic, fastingOverrideFrom=allowed)
        clinic.booked()
        self.chosen(clinic, source)
        assert (clinic.one("Task", "prep-fasting-override")["status"] == "completed") is confirmed

    @pytest.mark.parametrize(("hours", "limit", "asked"), [(13.0, 12, True), (12.0, 12, False), (13.0, 14, False)])
    def test_a_long_fast_is_pointed_out(self, clinic: Clinic, hours: float, limit: int, asked: bool) -> None:
        with_own(clinic, maxFastWarnHours=limit)
        clinic.booked()
        anesthesia(clinic, group("fasting", number("fasting-hours", hours)))
        assert bool(clinic.ours("Task", "prep-fasting-long")) is asked

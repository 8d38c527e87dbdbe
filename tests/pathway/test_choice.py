"""Of several ways only what may be chosen together is taken; where that is unclear, a person says which."""

from __future__ import annotations

from pathway.ports import Resource
from tests.pathway.conftest import Clinic
from tests.pathway.test_bad_plans import all_of, applies_when, condition, is_of, names, outcome, said, with_plan


def both_ways(actions: dict[str, Resource]) -> None:
    actions["choice-conservative"]["condition"] = [condition("applicability", "true")]


def test_of_two_ways_none_is_taken_or_given_up_until_a_person_says_which(clinic: Clinic) -> None:
    clinic.booked()
    before = clinic.statuses("Task") | clinic.statuses("ServiceRequest")
    with_plan(clinic, both_ways)
    clinic.react_again("Appointment", "a1")
    assert clinic.statuses("Task") | clinic.statuses("ServiceRequest") == before
    [issue] = outcome(clinic)
    assert "only one may be chosen" in issue
    assert "'Excision of calcinosis', 'Conservative treatment'" in issue


def test_a_surgery_that_took_place_is_no_choice_any_more(clinic: Clinic) -> None:
    clinic.operated()
    with_plan(clinic, both_ways)
    clinic.react_again("Procedure", "pr1")
    [chosen] = [
        p["part"] for p in said(clinic)["parameter"] if p["name"] == "action" and is_of(p, "choice-conservative")
    ]
    assert {"name": "included", "valueBoolean": True} in chosen
    assert outcome(clinic) == []


def all_or_none(actions: dict[str, Resource]) -> None:
    actions["preparation"]["selectionBehavior"] = "all-or-none"


def test_of_all_or_none_nothing_comes_while_one_does_not_apply(clinic: Clinic) -> None:
    with_plan(clinic, all_or_none)
    clinic.operated()
    assert clinic.ours("Task", "prep-transport") == []
    assert clinic.one("Appointment", "fu-first-visit-appointment")["status"] == "proposed"
    [issue] = outcome(clinic)
    assert names(issue) == "preparation"
    assert "all or none of " in issue
    assert "these do not apply: " in issue


def test_of_all_or_none_nothing_is_given_up_until_a_person_has_decided(clinic: Clinic) -> None:
    clinic.booked()
    before = clinic.statuses("Task")
    assert before["prep-transport"] == before["prep-medication-review"] == "requested"
    with_plan(clinic, all_or_none)
    applies = applies_when("prep-transport", "false")
    with_plan(clinic, all_of(all_or_none, applies))
    clinic.react_again("Appointment", "a1")
    assert clinic.statuses("Task") == before
    assert [names(issue) for issue in outcome(clinic)] == ["preparation"]

"""A plan that cannot be worked out in one place: that place stays as it is and is named, and the rest still comes.

Such definitions are refused when they are loaded; here they reach the engine without that.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from fhir_adapters.r4.admission import check
from pathway.codes import PLAN
from pathway.library import Library
from pathway.ports import Resource
from tests.pathway.conftest import Clinic, yes

Broken = Callable[[dict[str, Resource]], object]


def with_plan(clinic: Clinic, change: Broken) -> None:
    """The clinic's plan of the same version, with some of its actions changed."""
    plan = deepcopy(clinic.pathway.library.plan_as_written(PLAN))
    actions: dict[str, Resource] = {}

    def walk(found: list[Resource]) -> None:
        for action in found:
            actions[action["id"]] = action
            walk(action.get("action", []))

    walk(plan["action"])
    change(actions)
    rest = [d for d in clinic.pathway.library.resources() if d.get("url") != PLAN]
    clinic.pathway = replace(clinic.pathway, library=Library([*rest, plan]))


def expressed(text: str) -> Resource:
    return {"language": "text/fhirpath", "expression": text}


def condition(kind: str, expression: str) -> Resource:
    return {"kind": kind, "expression": expressed(expression)}


def applies_when(action: str, expression: str) -> Broken:
    def change(actions: dict[str, Resource]) -> None:
        actions[action]["condition"] = [condition("applicability", expression)]

    return change


def replaced(action: str, kind: str, expression: str) -> Broken:
    """One condition of the action says something else."""

    def change(actions: dict[str, Resource]) -> None:
        [number] = [n for n, one in enumerate(actions[action]["condition"]) if one["kind"] == kind]
        actions[action]["condition"][number] = condition(kind, expression)

    return change


def all_of(*changes: Broken) -> Broken:
    return lambda actions: [change(actions) for change in changes]


def trigger(actions: dict[str, Resource]) -> None:
    actions["contacts"]["trigger"][0]["condition"] = expressed("'several' | 'values'")


def value(path: str, expression: str) -> Broken:
    def change(actions: dict[str, Resource]) -> None:
        actions["prep-transport"]["dynamicValue"] = [{"path": path, "expression": expressed(expression)}]

    return change


def definition(actions: dict[str, Resource]) -> None:
    actions["prep-transport"]["definitionCanonical"] = "https://nowhere.example/ActivityDefinition/gone"


def contains_itself(actions: dict[str, Resource]) -> None:
    actions["prep-transport"]["definitionCanonical"] = PLAN


def timed_from(anchor: str, **offset: Any) -> Broken:
    def change(actions: dict[str, Resource]) -> None:
        [related] = actions["prep-medication-disclosure"]["relatedAction"]
        related.update({"actionId": anchor, "offsetDuration": {**related["offsetDuration"], **offset}})

    return change


BROKEN = {
    "raises": ("prep-transport", applies_when("prep-transport", "'a' + 1 = 2")),
    "gives two values": ("prep-transport", applies_when("prep-transport", "'a' | 'b'")),
    "is not a boolean": ("prep-transport", applies_when("prep-transport", "'yes'")),
    "trigger": ("contacts", trigger),
    "dynamic value raises": ("prep-transport", value("description", "'a' + 1")),
    "dynamic value gives two": ("prep-transport", value("description", "'a' | 'b'")),
    "dynamic value has no place": ("prep-transport", value("code.text.more", "'a'")),
    "definition is missing": ("prep-transport", definition),
    "plan contains itself": ("prep-transport", contains_itself),
    "anchor is missing": ("prep-medication-disclosure", timed_from("nowhere")),
    "offset is not in days": ("prep-medication-disclosure", timed_from("proc-excision", code="h", unit="h")),
}


def said(clinic: Clinic) -> Resource:
    care_plan = clinic.one("CarePlan", "calcinosis-excision-pathway")
    with clinic.store.transaction(clinic.hospital) as tx:
        answer = clinic.pathway.explain(tx, f"CarePlan/{care_plan['id']}", clinic.now())
    assert check(answer) == []
    return answer


def outcome(clinic: Clinic) -> list[str]:
    found = [p["resource"]["issue"] for p in said(clinic)["parameter"] if p["name"] == "outcome"]
    return [issue["diagnostics"] for issues in found for issue in issues]


@pytest.mark.parametrize(("action", "change"), BROKEN.values(), ids=BROKEN)
def test_the_place_is_named_and_the_rest_still_comes(clinic: Clinic, action: str, change: Broken) -> None:
    with_plan(clinic, change)
    clinic.operated()
    assert clinic.one("Appointment", "fu-first-visit-appointment")["status"] == "proposed"
    assert clinic.ours("Task", "prep-transport") == [] or action != "prep-transport"
    [issue] = outcome(clinic)
    assert names(issue) == action
    [entry] = [q for q in clinic.quarantine() if q.reason == "plan-undecided"]
    assert entry.explanation == issue


@pytest.mark.parametrize("change", [change for _, change in BROKEN.values()], ids=BROKEN)
def test_what_exists_of_it_stays_as_it_is(clinic: Clinic, change: Broken) -> None:
    clinic.booked()
    sound = clinic.pathway
    before = clinic.ours("Task", "prep-transport")
    with_plan(clinic, change)
    clinic.book("2026-03-18")
    broken = clinic.ours("Task", "prep-transport")
    assert [task["status"] for task in broken] == [task["status"] for task in before] == ["requested"]
    clinic.pathway = sound
    clinic.book("2026-03-19")
    assert [task["status"] for task in clinic.ours("Task", "prep-transport")] == ["requested"]
    assert clinic.one("Task", "fu-first-visit")["restriction"]["period"]["start"] == "2026-03-26"
    assert [p for p in said(clinic)["parameter"] if p["name"] == "outcome"] == []


def aside(clinic: Clinic) -> list[str]:
    """What of the plan cannot be worked out, as it stands in quarantine."""
    [care_plan] = clinic.ours("CarePlan")
    found = [q for q in clinic.quarantine() if q.reason == "plan-undecided"]
    assert {q.reference for q in found} <= {f"CarePlan/{care_plan['id']}"}
    return [q.explanation for q in found]


def test_each_problem_has_an_entry_until_it_is_gone(clinic: Clinic) -> None:
    def break_(*changes: Broken) -> list[str]:
        clinic.pathway = sound
        with_plan(clinic, all_of(*changes))
        clinic.react_again("Appointment", "a1")
        return aside(clinic)

    clinic.booked()
    sound = clinic.pathway
    raises, two = applies_when("prep-transport", "'a' + 1 = 2"), applies_when("prep-transport", "'a' | 'b'")
    [first] = break_(raises)
    [second] = break_(two)
    assert "'a' + 1 = 2" in first
    assert "'a' | 'b'" in second
    assert [*map(names, break_(two, trigger))] == ["prep-transport", "contacts"]
    assert [*map(names, break_(trigger))] == ["contacts"]
    assert break_() == []


def test_a_plan_that_a_clinician_closed_has_nothing_to_be_worked_out(clinic: Clinic) -> None:
    clinic.booked()
    with_plan(clinic, trigger)
    clinic.react_again("Appointment", "a1")
    assert len(aside(clinic)) == 1
    clinic.change(clinic.one("CarePlan", "calcinosis-excision-pathway"), status="revoked")
    assert aside(clinic) == []


def why(clinic: Clinic, action: str) -> str:
    """The sentence of the explanation of an action that comes once."""
    [parts] = [p["part"] for p in said(clinic)["parameter"] if p["name"] == "action" and is_of(p, action)]
    return next(str(part["valueString"]) for part in parts if part["name"] == "why")


def names(text: str) -> str:
    """The action that a sentence begins with."""
    return text.split()[1]


def test_a_start_condition_that_fails_starts_nothing_and_is_looked_at_again(clinic: Clinic) -> None:
    clinic.operated()
    sound = clinic.pathway
    with_plan(clinic, replaced("rule-visit-unbooked", "start", "'a' | 'b'"))
    clinic.at("2026-03-31T08:00")
    clinic.release()
    assert clinic.ours("Task", "rule-visit-unbooked") == []
    assert clinic.one("Task", "fu-missed-visit")["status"] == "requested"
    assert clinic.due("rule-visit-unbooked") == [("rule-visit-unbooked", "done", "2026-03-19T00:00:00", 1)]
    [issue] = outcome(clinic)
    assert names(issue) == "rule-visit-unbooked"
    assert "'a' | 'b' gave 2 values" in issue
    assert why(clinic, "rule-visit-unbooked").startswith("cannot be said: when its time came")
    clinic.pathway = sound
    clinic.react_again("Procedure", "pr1")
    assert clinic.one("Task", "rule-visit-unbooked")["status"] == "requested"
    assert outcome(clinic) == []


def test_what_has_started_does_not_depend_on_its_start_condition_any_more(clinic: Clinic) -> None:
    clinic.operated()
    clinic.at("2026-03-19T08:00")
    clinic.release()
    with_plan(clinic, replaced("rule-visit-unbooked", "start", "'a' | 'b'"))
    clinic.react_again("Procedure", "pr1")
    assert clinic.one("Task", "rule-visit-unbooked")["status"] == "requested"
    assert outcome(clinic) == []


def test_a_stop_condition_that_fails_ends_nothing_and_the_rest_goes_on(clinic: Clinic) -> None:
    sound = clinic.pathway
    with_plan(clinic, replaced("fu-first-visit", "stop", "'yes'"))
    clinic.operated()
    visit = clinic.book_visit()
    clinic.change(visit, status="fulfilled")
    assert clinic.one("Task", "fu-first-visit")["status"] == "requested"
    assert clinic.one("Task", "fu-first-visit")["restriction"]["period"]["start"] == "2026-03-23"
    [issue] = outcome(clinic)
    assert names(issue) == "fu-first-visit"
    assert "'yes' gave 1 value" in issue
    clinic.pathway = sound
    clinic.react_again("Procedure", "pr1")
    assert clinic.one("Task", "fu-first-visit")["status"] == "completed"
    assert outcome(clinic) == []


def test_the_issue_says_the_element(clinic: Clinic) -> None:
    with_plan(clinic, value("description", "'a' | 'b'"))
    clinic.booked()
    [issue] = [p["resource"]["issue"][0] for p in said(clinic)["parameter"] if p["name"] == "outcome"]
    action = "PlanDefinition.repeat(action).where(id = 'prep-transport')"
    assert issue["expression"] == [f"{action}.dynamicValue[0]"]
    assert issue["diagnostics"].endswith(": 'a' | 'b' gave 2 values; an element takes one")


def test_an_expression_that_runs_on_is_stopped(clinic: Clinic) -> None:
    clinic.booked()
    with_plan(clinic, applies_when("prep-transport", "1.repeat($this + 1).empty()"))
    clinic.book("2026-03-18")
    assert clinic.one("Task", "prep-transport")["status"] == "requested"
    assert clinic.one("Task", "fu-first-visit")["restriction"]["period"]["start"] == "2026-03-25"
    [issue] = outcome(clinic)
    assert names(issue) == "prep-transport"
    assert "took too long: it was stopped after 1" in issue


def test_another_operation_of_the_patient_goes_on(clinic: Clinic) -> None:
    clinic.decided()
    clinic.decide("surgery", "decision-2", "2026-03-04T10:00:00+01:00", yes("add-additional-surgery"))
    with_plan(clinic, applies_when("prep-transport", "iif(%trigger.id = 'decision-2', 'a' | 'b', false)"))
    clinic.react_again("QuestionnaireResponse", "decision-2")
    statuses = [task["status"] for task in clinic.ours("Task", "prep-transport")]
    assert statuses == ["cancelled", "requested"]


def is_of(parameter: Resource, action: str) -> bool:
    return {"name": "id", "valueId": action} in parameter["part"]

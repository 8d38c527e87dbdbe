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
from tests.pathway.conftest import Clinic

Broken = Callable[[dict[str, Resource]], None]


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


def trigger(actions: dict[str, Resource]) -> None:
    actions["contacts"]["trigger"][0]["condition"] = expressed("'several' | 'values'")


def value(path: str, expression: str) -> Broken:
    def change(actions: dict[str, Resource]) -> None:
        actions["prep-transport"]["dynamicValue"] = [{"path": path, "expression": expressed(expression)}]

    return change


def definition(actions: dict[str, Resource]) -> None:
    actions["prep-transport"]["definitionCanonical"] = "https://nowhere.example/ActivityDefinition/gone"


BROKEN = {
    "raises": ("prep-transport", applies_when("prep-transport", "'a' + 1 = 2")),
    "gives two values": ("prep-transport", applies_when("prep-transport", "'a' | 'b'")),
    "is not a boolean": ("prep-transport", applies_when("prep-transport", "'yes'")),
    "trigger": ("contacts", trigger),
    "dynamic value raises": ("prep-transport", value("description", "'a' + 1")),
    "dynamic value gives two": ("prep-transport", value("description", "'a' | 'b'")),
    "definition is missing": ("prep-transport", definition),
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
    assert action in issue
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
        with_plan(clinic, lambda actions: [change(actions) for change in changes] and None)
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


def names(text: str) -> str:
    """The action that a sentence begins with."""
    return text.split()[1]


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


@pytest.mark.parametrize(
    ("elements", "expected"),
    [({"start": "2026-03"}, None), ({"start": "2026"}, None), ({"start": "2026-03-16"}, "2026-03-23")],
)
def test_a_partial_date_of_the_surgery_is_no_date(
    clinic: Clinic, elements: dict[str, Any], expected: str | None
) -> None:
    clinic.decided()
    request = clinic.one("ServiceRequest", "proc-excision")
    clinic.change(request, occurrencePeriod=elements)
    visits = clinic.ours("Task", "fu-first-visit")
    assert [task["restriction"]["period"]["start"] for task in visits] == ([expected] if expected else [])
    [visit] = [p["part"] for p in said(clinic)["parameter"] if p["name"] == "action" and is_of(p, "fu-first-visit")]
    waits = {"name": "why", "valueString": "waits for the date of proc-excision"}
    assert (waits in visit) is (expected is None)


def is_of(parameter: Resource, action: str) -> bool:
    return {"name": "id", "valueId": action} in parameter["part"]

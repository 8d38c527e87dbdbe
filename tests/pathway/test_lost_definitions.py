"""A definition that is not there any more: what came of it stays, is named, and everything else goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pathway.codes import BASE, PLAN
from pathway.library import Library
from pathway.ports import Resource
from pathway.references import reference_to
from pathway.version import VERSION
from tests.pathway.conftest import Clinic, yes
from tests.pathway.test_bad_plans import names, outcome, with_plan

NESTED = f"{BASE}/PlanDefinition/visits-of-their-own"


def lose(clinic: Clinic, url: str) -> None:
    """The clinic's content, without one definition."""
    definitions = clinic.pathway.library.resources()
    left = [d for d in definitions if d.get("url") != url]
    assert len(left) == len(definitions) - 1
    clinic.pathway = replace(clinic.pathway, library=Library(left))


def requests(clinic: Clinic) -> dict[str, Any]:
    """The status and the days of every request, without questions to people."""
    found = [r for type in ("Task", "Appointment", "ServiceRequest", "CommunicationRequest") for r in clinic.ours(type)]
    return {reference_to(r): (r["status"], r.get("requestedPeriod"), r.get("restriction")) for r in found}


def goes_on_without(clinic: Clinic, url: str, action: str) -> None:
    """Nothing that is there changes, also when the surgery moves; a warning sign is answered."""
    sound, before, due = clinic.pathway, requests(clinic), clinic.due()
    lose(clinic, url)
    clinic.diary(yes("flag-redness"))
    assert len(clinic.ours("Task", "flag-redness")) == 1
    after = requests(clinic)
    assert {reference: after[reference] for reference in before} == before
    assert [row for row in clinic.due() if row[0] != "red-flag-backup"] == due
    issue = next(issue for issue in outcome(clinic) if names(issue) == action)
    assert url in issue
    clinic.pathway = sound
    clinic.react_again("Procedure", "pr1")
    assert outcome(clinic) == []


def test_of_the_follow_up(clinic: Clinic) -> None:
    clinic.operated()
    goes_on_without(clinic, f"{BASE}/ActivityDefinition/fu-first-visit", "fu-first-visit")


def test_of_the_visit_that_others_are_timed_from(clinic: Clinic) -> None:
    clinic.operated()
    clinic.book_visit()
    goes_on_without(clinic, f"{BASE}/ActivityDefinition/fu-first-visit-appointment", "fu-first-visit-appointment")


def test_of_the_surgery_that_everything_is_timed_from(clinic: Clinic) -> None:
    clinic.operated()
    goes_on_without(clinic, f"{BASE}/ActivityDefinition/proc-excision", "proc-excision")


def test_of_a_plan_with_actions_of_its_own(clinic: Clinic) -> None:
    def nest(actions: dict[str, Resource]) -> None:
        clinic.pathway = replace(clinic.pathway, library=Library([*known, inner(actions["follow-up"].pop("action"))]))
        actions["follow-up"]["definitionCanonical"] = NESTED

    known = clinic.pathway.library.resources()
    with_plan(clinic, nest)
    clinic.operated()
    clinic.book_visit()
    assert clinic.one("Task", "fu-first-visit")["status"] == "requested"
    assert len(clinic.due("fu-attend-all-3d", "fu-missed-visit")) == 2
    goes_on_without(clinic, NESTED, "follow-up")


def inner(actions: list[Resource]) -> Resource:
    named = {"id": "visits-of-their-own", "url": NESTED, "name": "Visits", "version": VERSION, "status": "draft"}
    return {"resourceType": "PlanDefinition", **named, "action": actions}


def test_the_plan_itself_is_a_matter_for_people(clinic: Clinic) -> None:
    clinic.operated()
    before = requests(clinic)
    lose(clinic, PLAN)
    clinic.diary(yes("flag-redness"))
    assert requests(clinic) == before
    [entry] = clinic.quarantine()
    assert (entry.reason, entry.reference) == ("not-found", "QuestionnaireResponse/diary-1")
    assert PLAN in entry.explanation

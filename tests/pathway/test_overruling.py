"""A decision against what was proposed, and a required step that is dropped: the reason is kept, or asked for."""

from __future__ import annotations

import pytest

from pathway.codes import INDICATIONS
from pathway.ports import Resource
from tests.pathway.conftest import Clinic
from tests.pathway.forms import words
from tests.pathway.patients.filling import filled
from tests.pathway.patients.story import PLAIN


def looks_only(clinic: Clinic) -> None:
    """A small deposit without symptoms: conservative treatment is proposed."""
    clinic.enrolled()
    form = clinic.pathway.library.questionnaire(INDICATIONS)
    clinic.answer(
        INDICATIONS, "indications-1", "2026-03-02T10:00:00+01:00", filled(form, {**PLAIN, "dec-size": "small"})
    )


def questions(clinic: Clinic, reason: str) -> list[Resource]:
    return [t for t in clinic.ours("Task") if t.get("reasonCode", {}).get("coding", [{}])[0].get("code") == reason]


def overrulings(clinic: Clinic) -> list[Resource]:
    return [p for p in clinic.all("Provenance") if "occurredDateTime" in p]


def proposed(clinic: Clinic) -> str:
    task = clinic.one("Task", "calcinosis-shared-decision")
    concept = next(i["valueCodeableConcept"] for i in task["input"] if "valueCodeableConcept" in i)
    return str(concept["coding"][0]["code"])


def test_the_reason_of_a_decision_against_the_proposal_is_kept_with_author_and_time(clinic: Clinic) -> None:
    looks_only(clinic)
    assert proposed(clinic) == "conservative-preferred"
    why = words("dec-outcome-reason", "It rubs against her tool belt.")
    clinic.decide("surgery", "decision-1", "2026-03-03T10:00:00+01:00", why)
    [record] = overrulings(clinic)
    assert record["agent"][0]["who"] == {"reference": "Practitioner/okafor"}
    assert record["occurredDateTime"] == "2026-03-03T10:00:00+01:00"
    assert record["reason"][0]["text"] == (
        "The decision is surgery; proposed was conservative-preferred. Reason given: It rubs against her tool belt."
    )
    assert clinic.one("ServiceRequest", "proc-excision")["status"] == "draft"
    assert questions(clinic, "decision-without-reason") == []
    clinic.react_again("QuestionnaireResponse", "decision-1")
    assert overrulings(clinic) == [record]


def test_without_a_reason_the_surgeon_is_asked_and_the_decision_stands(clinic: Clinic) -> None:
    looks_only(clinic)
    clinic.decide("surgery")
    [question] = questions(clinic, "decision-without-reason")
    assert question["owner"]["reference"] == "PractitionerRole/surgeon"
    assert question["description"] == "The decision is surgery; proposed was conservative-preferred."
    assert clinic.one("ServiceRequest", "proc-excision")["status"] == "draft"
    why = words("dec-outcome-reason", "It rubs against her tool belt.")
    clinic.decide("surgery", "decision-1", "2026-03-03T11:00:00+01:00", why)
    assert [t["status"] for t in questions(clinic, "decision-without-reason")] == ["cancelled"]


def test_a_decision_in_line_with_the_proposal_needs_no_reason(clinic: Clinic) -> None:
    looks_only(clinic)
    clinic.decide("conservative")
    assert overrulings(clinic) == questions(clinic, "decision-without-reason") == []


@pytest.mark.parametrize(("reason", "asked"), [(None, 1), ({"text": "her daughter drives her"}, 0)])
def test_a_required_step_that_the_hospital_drops_needs_a_reason(
    clinic: Clinic, reason: Resource | None, asked: int
) -> None:
    clinic.booked()
    elements = {"statusReason": reason} if reason else {}
    clinic.change(clinic.one("Task", "prep-transport"), status="cancelled", **elements)
    assert len(questions(clinic, "step-without-reason")) == asked
    clinic.change(clinic.one("Task", "prep-transport"), statusReason={"text": "her daughter drives her"})
    assert [t["status"] for t in questions(clinic, "step-without-reason")] == ["cancelled"] * asked
    assert clinic.one("Task", "prep-transport")["status"] == "cancelled"

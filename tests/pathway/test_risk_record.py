"""The patient's RiskAssessment in the record: one, made for the talk about surgery and kept as what is known says."""

from __future__ import annotations

import pytest

from pathway.codes import SNOMED
from pathway.ports import Resource
from pathway.references import reference_to
from tests.pathway.conftest import Clinic, yes
from tests.pathway.forms import code, group, operation, reassess

DIABETES = {"coding": [{"system": SNOMED, "code": "73211009"}]}


def assessment(clinic: Clinic) -> Resource:
    [found] = clinic.ours("RiskAssessment")
    return found


def emphasised(clinic: Clinic) -> set[str]:
    predictions = assessment(clinic)["prediction"]
    return {p["outcome"]["coding"][0]["code"] for p in predictions if "Weighs more" in p["rationale"]}


def diabetes(clinic: Clinic) -> None:
    clinic.put({"resourceType": "Condition", "id": "c2", "code": DIABETES, "subject": {"reference": "Patient/p1"}})


def test_none_before_the_indications_are_answered(clinic: Clinic) -> None:
    clinic.enrolled()
    assert clinic.ours("RiskAssessment") == []
    clinic.indicate()
    assert len(assessment(clinic)["prediction"]) == 9


def test_it_stands_beside_the_plan_for_the_talk_about_surgery(clinic: Clinic) -> None:
    clinic.enrolled()
    clinic.indicate()
    found, [plan] = assessment(clinic), clinic.ours("CarePlan")
    assert found["status"] == "preliminary"
    assert found["basedOn"] == {"reference": reference_to(plan)}
    assert plan["supportingInfo"] == [{"reference": "ServiceRequest/r1"}, {"reference": reference_to(found)}]
    assert clinic.is_sent(found)


def test_it_is_final_once_the_decision_is_recorded(clinic: Clinic) -> None:
    clinic.decided()
    assert assessment(clinic)["status"] == "final"
    assert assessment(clinic)["meta"]["versionId"] == "2"


def test_it_follows_what_it_rests_on(clinic: Clinic) -> None:
    clinic.enrolled()
    clinic.indicate()
    assert emphasised(clinic) == {"risk-recurrence"}
    at_first = assessment(clinic)
    clinic.at("2026-03-02T12:00")
    diabetes(clinic)
    assert emphasised(clinic) == {"risk-recurrence", "risk-infection", "risk-delayed-healing"}
    now = assessment(clinic)
    assert {"reference": "Condition/c2"} in now["basis"]
    assert (now["id"], now["status"], now["meta"]["versionId"]) == (at_first["id"], "preliminary", "2")
    assert now["occurrenceDateTime"] > at_first["occurrenceDateTime"]


def test_what_no_longer_holds_leaves_it(clinic: Clinic) -> None:
    clinic.enrolled()
    reassess(clinic, group("factors", yes("fac-smoking")))
    assert "risk-infection" in emphasised(clinic)
    reassess(clinic, group("factors"), id="indications-3", at="2026-03-02T12:00:00")
    assert "risk-infection" in emphasised(clinic)  # what is not answered again was not taken back
    no_more = {"linkId": "fac-smoking", "answer": [{"valueBoolean": False}]}
    reassess(clinic, group("factors", no_more), id="indications-4", at="2026-03-02T13:00:00")
    assert "risk-infection" not in emphasised(clinic)


def test_what_is_learnt_after_the_decision_amends_it(clinic: Clinic) -> None:
    clinic.operated()
    assert assessment(clinic)["status"] == "final"
    operation(clinic, group("findings", code("mit-complete-removal", "removal-completeness", "partial")))
    assert assessment(clinic)["status"] == "amended"
    assert {"reference": "QuestionnaireResponse/operation-1"} in assessment(clinic)["basis"]


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "corrected"])
def test_one_that_the_hospital_has_taken_back_is_left_alone(clinic: Clinic, status: str) -> None:
    clinic.decided()
    clinic.change(assessment(clinic), status=status)
    diabetes(clinic)
    assert assessment(clinic)["status"] == status
    assert emphasised(clinic) == {"risk-recurrence"}


def test_nothing_is_changed_while_answers_cannot_be_used(clinic: Clinic) -> None:
    clinic.decided()
    before = assessment(clinic)
    answers = clinic.read("QuestionnaireResponse", "indications-1")
    clinic.put({**answers, "item": [{"linkId": "no-such-question", "answer": [{"valueBoolean": True}]}]})
    assert assessment(clinic) == before


def test_applying_again_changes_nothing(clinic: Clinic) -> None:
    clinic.decided()
    diabetes(clinic)
    before = clinic.everything()
    clinic.at("2026-03-09T12:00")
    for type, id in (("Condition", "c2"), ("QuestionnaireResponse", "decision-1"), ("Patient", "p1")):
        clinic.react_again(type, id)
    clinic.react_again("RiskAssessment", assessment(clinic)["id"])
    assert clinic.everything() == before

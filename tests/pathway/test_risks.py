"""The patient's RiskAssessment: all nine risks, figures that never change, and R4's rules for them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pathway.codes import RISK, RISK_FACTOR, SNOMED
from pathway.library import Library
from pathway.ports import Resource
from pathway.risks import METHOD, factors, risk_assessment
from pathway.site import Parameters
from pathway.situation import Situation, gather
from tests.pathway.conftest import Clinic, yes
from tests.pathway.forms import anesthesia, checklist, code, group, medicine, no, operation, reassess, visit

RISKS = (
    "risk-infection",
    "risk-bleeding",
    "risk-nerve-damage",
    "risk-scarring",
    "risk-recurrence",
    "risk-anesthesia-reaction",
    "risk-dvt",
    "risk-delayed-healing",
    "risk-mortality",
)
FIGURES = {
    "risk-infection": (2, 5),
    "risk-nerve-damage": (None, 1),
    "risk-anesthesia-reaction": (None, 1),
    "risk-dvt": (None, 1),
    "risk-mortality": (None, Decimal("0.1")),
}


def situation(clinic: Clinic) -> Situation:
    with clinic.store.transaction(clinic.hospital) as tx:
        return gather(tx, clinic.site, tx.read("CarePlan", clinic.ours("CarePlan")[0]["id"]))


def assessed(clinic: Clinic) -> Resource:
    return risk_assessment(clinic.pathway.library, situation(clinic), clinic.now())


def predictions(assessment: Resource) -> dict[str, Resource]:
    return {p["outcome"]["coding"][0]["code"]: p for p in assessment["prediction"]}


def known(clinic: Clinic) -> set[str]:
    return set(factors(clinic.pathway.library, situation(clinic)))


def test_all_nine_in_the_order_of_the_content(clinic: Clinic) -> None:
    clinic.enrolled()
    assessment = assessed(clinic)
    assert tuple(predictions(assessment)) == RISKS
    assert all(p["outcome"]["coding"][0]["system"] == RISK for p in assessment["prediction"])
    assert assessment["method"] == {"text": METHOD}
    assert assessment["subject"] == {"reference": "Patient/p1"}
    assert "basis" not in assessment


def test_a_figure_is_a_range_in_percent_and_fewer_than_has_an_upper_end_only(clinic: Clinic) -> None:
    clinic.enrolled()
    found = predictions(assessed(clinic))
    for risk in RISKS:
        given: dict[str, Any] = found[risk].get("probabilityRange", {})
        low, high = (given.get(end, {}).get("value") for end in ("low", "high"))
        assert (low, high) == FIGURES.get(risk, (None, None)), risk
        assert {(q["system"], q["code"]) for q in given.values()} <= {("http://unitsofmeasure.org", "%")}
        assert ("Below" in found[risk]["rationale"]) is (high is not None and low is None)
        assert "probabilityDecimal" not in found[risk]


def test_what_has_no_figure_is_said_in_words(clinic: Clinic) -> None:
    clinic.enrolled()
    found = predictions(assessed(clinic))
    qualitative = {risk: found[risk].get("qualitativeRisk") for risk in RISKS}
    assert qualitative["risk-bleeding"]["coding"][0]["code"] == "low"  # type: ignore[index]
    assert qualitative["risk-scarring"]["coding"][0]["code"] == "certain"  # type: ignore[index]
    assert qualitative["risk-recurrence"] == {"text": "variable"}
    assert qualitative["risk-delayed-healing"] == {"text": "not quantified"}
    assert all("probabilityRange" in p or p["qualitativeRisk"] for p in found.values())


def test_the_same_patient_has_one_assessment(clinic: Clinic) -> None:
    clinic.enrolled()
    first, again = assessed(clinic), assessed(clinic)
    assert (first["id"], first["identifier"]) == (again["id"], again["identifier"])


EMPHASISED = [
    ("fac-diabetes", group("factors", yes("fac-diabetes")), {"risk-infection", "risk-delayed-healing"}),
    ("fac-smoking", group("factors", yes("fac-smoking")), {"risk-infection", "risk-delayed-healing"}),
    ("fac-immune-deficiency", group("factors", yes("fac-immune-deficiency")),
     {"risk-infection", "risk-delayed-healing"}),
    ("fac-poor-circulation", group("factors", yes("fac-poor-circulation")),
     {"risk-infection", "risk-delayed-healing"}),
    ("fac-reduced-mobility", group("factors", yes("fac-reduced-mobility")), {"risk-dvt"}),
    ("critical-anatomy", group("indications", yes("ind-critical-anatomy")), {"risk-bleeding", "risk-nerve-damage"}),
    ("uncontrolled-cause", group("indications", yes("ind-autoimmune-refractory")), {"risk-recurrence"}),
    ("large-incision", group("lesion", code("dec-size", "deposit-size", "large")), {"risk-scarring"}),
    ("extensive-disease", group("lesion", code("dec-extent", "deposit-extent", "extensive")), {"risk-recurrence"}),
]  # fmt: skip


@pytest.mark.parametrize(("factor", "answer", "emphasised"), EMPHASISED)
def test_an_answer_emphasises_and_changes_no_figure(
    clinic: Clinic, factor: str, answer: Resource, emphasised: set[str]
) -> None:
    clinic.enrolled()
    before = predictions(assessed(clinic))
    reassess(clinic, answer)
    assert clinic.quarantine() == []
    after = predictions(assessed(clinic))
    assert factor in known(clinic)
    weighing = {risk for risk in RISKS if "Weighs more" in after[risk]["rationale"]}
    assert weighing == emphasised | {"risk-recurrence"}  # the tests' patient has systemic sclerosis
    for name in ("probabilityRange", "qualitativeRisk", "outcome"):
        assert [p.get(name) for p in before.values()] == [p.get(name) for p in after.values()]
    assert assessed(clinic)["basis"] == [{"reference": "QuestionnaireResponse/indications-2"}]


@pytest.mark.parametrize(("both_sides", "emphasised"), [(True, True), (False, False)])
def test_an_autoimmune_disease_stands_on_both_sides_unless_the_site_says_otherwise(
    clinic: Clinic, both_sides: bool, emphasised: bool
) -> None:
    clinic.site = clinic.site.model_copy(
        update={"parameters": Parameters(pathway={"autoimmuneOnBothSides": both_sides})}
    )
    clinic.enrolled()
    clinic.indicate()
    assessment = assessed(clinic)
    assert ("Weighs more" in predictions(assessment)["risk-recurrence"]["rationale"]) is emphasised
    assert f"Rests on the site's rule autoimmuneOnBothSides = {both_sides}." in [n["text"] for n in assessment["note"]]
    reassess(clinic, group("indications", yes("ind-autoimmune-refractory")))
    assert "Weighs more" in predictions(assessed(clinic))["risk-recurrence"]["rationale"]


def test_a_rule_that_concerns_nothing_of_the_patient_is_not_recorded(clinic: Clinic) -> None:
    clinic.enrolled()
    assert len(assessed(clinic)["note"]) == 1


def test_later_forms_emphasise_too(clinic: Clinic) -> None:
    clinic.operated()
    checklist(clinic, medicine("antiplatelet"))
    anesthesia(clinic, group("history", yes("earlier-reaction")))
    operation(clinic, group("findings", code("mit-complete-removal", "removal-completeness", "partial")))
    visit(clinic, group("fu-check-complications", yes("risk-delayed-healing")))
    assert clinic.quarantine() == []
    assert known(clinic) == {"blood-thinner", "earlier-reaction", "incomplete-removal", "delayed-healing", "autoimmune"}


def test_the_newest_answer_counts(clinic: Clinic) -> None:
    clinic.enrolled()
    reassess(clinic, group("factors", yes("fac-smoking"), yes("fac-diabetes")))
    reassess(clinic, group("factors", no("fac-smoking")), id="indications-3", at="2026-03-02T12:00:00")
    assert known(clinic) == {"autoimmune", "fac-diabetes"}


@pytest.mark.parametrize(
    ("elements", "counts"),
    [
        ({}, True),
        ({"clinicalStatus": {"coding": [{"code": "active"}]}}, True),
        ({"clinicalStatus": {"coding": [{"code": "resolved"}]}}, False),
        ({"verificationStatus": {"coding": [{"code": "refuted"}]}}, False),
        ({"verificationStatus": {"coding": [{"code": "entered-in-error"}]}}, False),
    ],
)
def test_a_condition_of_the_record_counts_while_it_stands(
    clinic: Clinic, elements: dict[str, Any], counts: bool
) -> None:
    clinic.enrolled()
    diabetes = {"coding": [{"system": SNOMED, "code": "73211009"}]}
    subject = {"reference": "Patient/p1"}
    clinic.put({"resourceType": "Condition", "id": "c2", "code": diabetes, "subject": subject, **elements})
    assert ("fac-diabetes" in known(clinic)) is counts
    assert ({"reference": "Condition/c2"} in assessed(clinic).get("basis", [])) is counts


def test_what_raises_a_risk_is_a_known_factor_and_every_factor_raises_one(content: Library) -> None:
    risks, factor_system = content.find_code_system(RISK), content.find_code_system(RISK_FACTOR)
    assert risks is not None
    assert factor_system is not None
    raising = {p["valueCode"] for c in risks["concept"] for p in c["property"] if p["code"] == "raised-by"}
    assert raising == {c["code"] for c in factor_system["concept"]}

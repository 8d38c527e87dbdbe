"""The decision table under a site's own rules: what changes, what never does, and that the values are recorded."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathway import codes
from pathway.assessment import Assessment, assess, task_input
from pathway.concepts import concepts_of, values_of
from pathway.findings import EPISODES, FAILURES, TREATMENTS
from pathway.library import Library
from pathway.parameters import Value, defaults, effective
from pathway.verdicts import CONSERVATIVE, CONSIDER, INSUFFICIENT, INSUFFICIENT_ALONE, STATED
from tests.pathway.test_assessment import ANSWERS, PLAIN, PREVENTION, response

RESPONSES = f"{codes.BASE}/CodeSystem/treatment-response"
SMALL = {"dec-size": "small"}
WISH = {"ind-definitive-preference": True}
GROWTH = {"ind-rapid-progression": True}
DOUBT = {"ind-diagnostic-uncertainty": True}
PAIN = {"ind-severe-pain": True}
MEASURED = {"dec-size": None, "dec-size-mm": 9}


def under(answers: dict[str, Any], **rules: Value) -> Assessment:
    """PLAIN with other answers, assessed under a site's rules; None takes an answer away."""
    given = {link: value for link, value in (PLAIN | answers).items() if value is not None}
    return assess(response(given), rules)


def tried(treatment: str, achieved: str, **answers: Any) -> dict[str, Any]:
    """A response with pain and one earlier treatment."""
    found = response(PLAIN | PAIN | answers | {"prior-treatment": treatment})
    [item] = [i for group in found["item"] for i in group["item"] if i["linkId"] == "prior-treatment"]
    coding = {"valueCoding": {"system": RESPONSES, "code": achieved}}
    item["answer"][0]["item"] = [{"linkId": "dec-prior-response", "answer": [coding]}]
    return found


def test_the_contents_rules_are_the_defaults_of_the_parameters(content: Library) -> None:
    assert {name: defaults(content)[name] for name in STATED} == STATED


def test_whose_list_names_a_treatment_is_what_the_code_system_says(content: Library) -> None:
    concepts = concepts_of(content, f"{codes.BASE}/CodeSystem/prior-treatment")
    named = {who: {c["code"] for c in concepts if who in values_of(c, "named-by")} for who in TREATMENTS}
    assert named == TREATMENTS


def test_failed_treatment_is_its_cluster(content: Library) -> None:
    clusters = {
        c["code"]: set(values_of(c, "member")) for c in concepts_of(content, f"{codes.BASE}/CodeSystem/cluster")
    }
    assert clusters["treatment-failure"] == set(FAILURES)


@pytest.mark.parametrize(
    ("answers", "rule", "result"),
    [
        ({"cosmetic-concern": "moderate"}, {"cosmeticAlone": "advise-conservative"}, CONSERVATIVE),
        ({"cosmetic-concern": "moderate"}, {"cosmeticAlone": "may-be-considered"}, CONSIDER),
        (WISH, {"preferenceAlone": "not-sufficient"}, INSUFFICIENT_ALONE),
        (WISH, {"preferenceAlone": "advise-conservative"}, CONSERVATIVE),
        (DOUBT, {"diagnosticUncertaintyOverrides": True}, CONSIDER),
        (DOUBT, {"diagnosticUncertaintyOverrides": False}, INSUFFICIENT),
        (DOUBT | SMALL, {"diagnosticUncertaintyOverrides": False}, INSUFFICIENT),
        (GROWTH | SMALL, {"earlyInterventionRequires": "growth-threat-or-doubt"}, CONSIDER),
        (GROWTH | SMALL, {"earlyInterventionRequires": "threat-or-doubt"}, CONSERVATIVE),
        (PREVENTION | SMALL, {"earlyInterventionRequires": "threat-or-doubt"}, CONSIDER),
        (PREVENTION | SMALL, {"earlyInterventionRequires": "doubt"}, CONSERVATIVE),
        (PAIN, {"requireFailedAlternatives": False}, CONSIDER),
    ],
)
def test_a_rule_sets_the_result_and_is_recorded(answers: dict[str, Any], rule: dict[str, Value], result: str) -> None:
    found = under(answers, **rule)
    assert found.result == result
    assert rule.items() <= found.parameters.items()


@pytest.mark.parametrize("requires", ["growth-threat-or-doubt", "threat-or-doubt", "doubt"])
def test_growth_brings_the_review_forward_under_every_rule(requires: str) -> None:
    assert under(GROWTH | SMALL, earlyInterventionRequires=requires).urgent
    larger = under(GROWTH, earlyInterventionRequires=requires)
    assert (larger.result, larger.parameters) == (CONSIDER, {})


def test_a_row_that_asks_no_parameter_records_none() -> None:
    assert under({}).parameters == {}
    assert under(SMALL).parameters == {}


def test_every_row_keeps_its_place_whatever_the_rules() -> None:
    rules: dict[str, Value] = {"cosmeticAlone": "may-be-considered", "diagnosticUncertaintyOverrides": False}
    found = under(DOUBT | PAIN | {"cosmetic-concern": "moderate"}, **rules)
    assert (found.row, found.also_matched) == (2, (4,))
    assert found.missing == ("diagnosis-certain",)


class TestOtherTreatmentFirst:
    RULES = ("requireFailedAlternatives", "priorTreatmentList")

    @pytest.mark.parametrize(
        "answers",
        [PAIN, {"ind-critical-anatomy": True}, {"cosmetic-concern": "severe", "quality-of-life-impact": True}],
    )
    def test_without_a_failed_treatment_it_is_asked_for(self, answers: dict[str, Any]) -> None:
        found = under(answers, requireFailedAlternatives=True)
        assert (found.result, found.missing) == (INSUFFICIENT, ("prior-treatment",))
        assert "alt-not-mandatory" in found.reasons[-1]
        assert tuple(found.parameters) == self.RULES

    @pytest.mark.parametrize("failure", FAILURES)
    def test_a_ticked_failure_is_enough(self, failure: str) -> None:
        assert under(PAIN | {failure: True}, requireFailedAlternatives=True).result == CONSIDER

    @pytest.mark.parametrize(
        ("treatment", "achieved", "whose", "result"),
        [
            ("eswt", "none", "union", CONSIDER),
            ("eswt", "temporary", "patient", CONSIDER),
            ("eswt", "none", "professional", INSUFFICIENT),
            ("co2-laser", "none", "professional", CONSIDER),
            ("co2-laser", "none", "patient", INSUFFICIENT),
            ("intralesional-corticosteroid", "none", "professional", CONSIDER),
            ("co2-laser", "good", "union", INSUFFICIENT),
            ("co2-laser", "partial", "union", INSUFFICIENT),
        ],
    )
    def test_a_treatment_of_the_list_that_counts(self, treatment: str, achieved: str, whose: str, result: str) -> None:
        rules: dict[str, Value] = {"requireFailedAlternatives": True, "priorTreatmentList": whose}
        assert assess(tried(treatment, achieved), rules).result == result

    def test_looks_that_may_be_considered_wait_for_it_too(self) -> None:
        rules: dict[str, Value] = {"cosmeticAlone": "may-be-considered", "requireFailedAlternatives": True}
        found = under({"cosmetic-concern": "mild"}, **rules)
        assert (found.result, tuple(found.parameters)) == (INSUFFICIENT, ("cosmeticAlone", *self.RULES))

    @pytest.mark.parametrize("answers", [GROWTH, PREVENTION, DOUBT])
    def test_growth_and_doubt_never_wait(self, answers: dict[str, Any]) -> None:
        assert under(answers, requireFailedAlternatives=True).result == CONSIDER


class TestSizeInMillimetres:
    def test_a_measure_does_not_stand_in_for_the_word_by_default(self) -> None:
        found = under(MEASURED)
        assert (found.row, found.missing, found.parameters) == (1, ("dec-size",), {"thresholds": "none"})

    @pytest.mark.parametrize(("below", "row"), [(Decimal(10), 5), (Decimal(9), 10), (Decimal("9.1"), 5)])
    def test_it_does_where_the_site_has_a_threshold(self, below: Decimal, row: int) -> None:
        rules: dict[str, Value] = {"thresholds": "size-in-mm", "smallBelowMm": below}
        found = under(MEASURED, **rules)
        assert found.row == row
        assert found.parameters == rules

    def test_the_word_wins_over_the_measure(self) -> None:
        found = under({"dec-size": "large", "dec-size-mm": 9}, thresholds="size-in-mm")
        assert (found.row, found.parameters) == (10, {})


@pytest.mark.parametrize(("counted", "needed", "few"), [(1, 2, True), (2, 2, False), (2, 3, True)])
def test_few_infections_are_named_and_change_no_result(counted: int, needed: int, few: bool) -> None:
    found = under({"ind-recurrent-infection": True, EPISODES: counted}, infectionEpisodes=needed)
    assert (found.row, found.result) == (4, CONSIDER)
    assert (EPISODES in found.missing) is few
    assert any("ten-thresholds" in reason for reason in found.reasons) is few
    assert found.parameters["infectionEpisodes"] == needed


def test_infections_that_nobody_counted_are_not_judged() -> None:
    assert "infectionEpisodes" not in under({"ind-recurrent-infection": True}).parameters


def test_the_task_carries_the_proposal_its_reasons_and_its_rules() -> None:
    rules: dict[str, Value] = {"thresholds": "size-in-mm", "smallBelowMm": Decimal("12.5"), "infectionEpisodes": 3}
    answers = {"dec-size": None, "dec-size-mm": 9, "ind-recurrent-infection": True, EPISODES: 1}
    found = under(answers, **rules)
    given = task_input(found)
    assert given[0]["valueCodeableConcept"]["coding"] == [{"system": codes.RULE_RESULT, "code": CONSIDER}]
    assert [i["valueString"] for i in given if i["type"]["text"] == "Reason"] == list(found.reasons)
    recorded = {i["type"]["coding"][0]["code"]: i for i in given if "coding" in i["type"]}
    assert recorded["smallBelowMm"]["valueDecimal"] == Decimal("12.5")
    assert recorded["infectionEpisodes"]["valueInteger"] == 3
    assert recorded["thresholds"]["valueString"] == "size-in-mm"
    assert recorded["requireFailedAlternatives"]["valueBoolean"] is False


RULES = st.fixed_dictionaries(
    {
        "cosmeticAlone": st.sampled_from(["advise-conservative", "may-be-considered"]),
        "earlyInterventionRequires": st.sampled_from(["growth-threat-or-doubt", "threat-or-doubt", "doubt"]),
        "preferenceAlone": st.sampled_from(["not-sufficient", "advise-conservative"]),
        "priorTreatmentList": st.sampled_from(["union", "patient", "professional"]),
        "thresholds": st.sampled_from(["none", "size-in-mm"]),
        "diagnosticUncertaintyOverrides": st.booleans(),
        "requireFailedAlternatives": st.booleans(),
        "infectionEpisodes": st.integers(1, 20),
    }
)


@given(ANSWERS, RULES)
def test_under_every_rule_there_is_a_result_with_reasons(answers: dict[str, Any], rules: dict[str, Value]) -> None:
    found = assess(response(answers), rules)
    by_content = assess(response(answers))
    assert found.reasons
    assert found.parameters.items() <= {**STATED, **rules}.items()
    if "thresholds" not in found.parameters:
        assert (found.row, found.also_matched, found.urgent) == (
            by_content.row,
            by_content.also_matched,
            by_content.urgent,
        )
    if found.result != by_content.result:
        assert found.parameters != by_content.parameters


@given(RULES)
def test_a_wish_alone_and_doubt_never_lead_where_the_content_forbids(rules: dict[str, Value]) -> None:
    assert under(WISH, **rules).result != CONSIDER
    assert under(DOUBT | SMALL, **rules).result != CONSERVATIVE


def test_every_value_that_a_site_may_choose_is_understood(content: Library) -> None:
    for concept in concepts_of(content, codes.PARAMETERS):
        for value in values_of(concept, "allowed") if concept["code"] in STATED else ():
            rules = effective(content, {concept["code"]: value})
            for answers in (SMALL, GROWTH | SMALL, WISH, PAIN, {"cosmetic-concern": "mild"}):
                assert under(answers, **rules).reasons

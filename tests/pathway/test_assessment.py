"""The decision table row by row, its boundaries, and that it always answers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pathway import codes
from pathway.assessment import TABLE, Assessment, assess
from pathway.findings import INDICATIONS, OTHER_REASONS, SYMPTOMS
from pathway.library import Library
from pathway.responses import check

QUESTIONNAIRE = Library.load().questionnaire(codes.INDICATIONS)
QUESTIONS = {q["linkId"]: (group["linkId"], q) for group in QUESTIONNAIRE["item"] for q in group["item"]}
# All required questions answered, nothing ticked, not small.
PLAIN: dict[str, Any] = {
    **dict.fromkeys(SYMPTOMS, False),
    "dec-size": "medium",
    "cosmetic-concern": "none",
    "diagnosis-certain": True,
}
STRUCTURE, GROWTH = "ind-prevent-complications-structure", "ind-prevent-complications-growth"
PREVENTION = {"ind-prevent-complications": True, STRUCTURE: "ulnar nerve", GROWTH: True}
# What each row proposes under the content's own rules.
ROWS = {
    1: "insufficient-information",
    2: "surgery-may-be-considered",
    3: "surgery-may-be-considered",
    4: "surgery-may-be-considered",
    5: "conservative-preferred",
    6: "surgery-may-be-considered",
    7: "conservative-preferred",
    8: "insufficient-alone",
    9: "insufficient-information",
    10: "no-indication",
}


def response(answers: dict[str, Any]) -> dict[str, Any]:
    groups: dict[str, list[Any]] = {}
    for link, value in answers.items():
        given = [answer(link, one) for one in (value if isinstance(value, list) else [value])]
        groups.setdefault(QUESTIONS[link][0], []).append({"linkId": link, "answer": given})
    return {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "questionnaire": codes.INDICATIONS,
        "author": {"reference": "Practitioner/okafor"},
        "item": [{"linkId": group, "item": items} for group, items in groups.items()],
    }


def answer(link: str, value: Any) -> dict[str, Any]:
    if options := QUESTIONS[link][1].get("answerOption"):
        return {"valueCoding": {"system": options[0]["valueCoding"]["system"], "code": value}}
    kind = {bool: "valueBoolean", int: "valueInteger", str: "valueString"}[type(value)]
    return {kind: value}


def assessed(**changes: Any) -> Assessment:
    """PLAIN with changes; None takes an answer away. `_` in a name stands for `-`."""
    answers = PLAIN | {name.replace("_", "-"): value for name, value in changes.items()}
    return assess(response({link: value for link, value in answers.items() if value is not None}))


def outcome(**changes: Any) -> tuple[int, tuple[int, ...]]:
    found = assessed(**changes)
    assert found.result == ROWS[found.row]
    return found.row, found.also_matched


def test_the_answers_used_here_fit_the_questionnaire() -> None:
    answers = PLAIN | PREVENTION | {"ind-quality-of-life": True, "ind-quality-of-life-source": ["pain", "looks"]}
    assert check(response(answers | {"quality-of-life-impact": True}), QUESTIONNAIRE) == []


def test_the_rows_stand_in_the_order_of_the_content() -> None:
    assert [row.order for row in TABLE] == list(ROWS)


class TestRow1:
    @pytest.mark.parametrize("link", ["dec-size", "cosmetic-concern", "diagnosis-certain", *SYMPTOMS])
    def test_names_the_question_without_an_answer(self, link: str) -> None:
        found = assessed(**{link: None})
        assert (found.row, found.missing) == (1, (link,))
        assert [link in reason for reason in found.reasons] == [True]

    def test_names_them_all_when_nothing_is_answered(self) -> None:
        found = assess({"resourceType": "QuestionnaireResponse", "status": "in-progress"})
        assert found.missing == (*SYMPTOMS, "dec-size", "cosmetic-concern", "diagnosis-certain")
        assert (found.row, found.also_matched, len(found.reasons)) == (1, (), 8)

    def test_one_symptom_answers_the_question_for_symptoms(self) -> None:
        others = dict.fromkeys(SYMPTOMS[1:])
        assert outcome(**{SYMPTOMS[0]: True, **others}) == (4, ())
        assert outcome(**{SYMPTOMS[0]: False, **others}) == (1, ())

    def test_doubt_ticked_or_denied_answers_the_question_for_certainty(self) -> None:
        assert outcome(diagnosis_certain=None, ind_diagnostic_uncertainty=False) == (10, ())
        assert outcome(diagnosis_certain=None, ind_diagnostic_uncertainty=True) == (2, ())

    def test_comes_before_every_reason_and_lists_it(self) -> None:
        assert outcome(dec_size=None, ind_diagnostic_uncertainty=True, ind_severe_pain=True) == (1, (2, 4))

    def test_an_empty_text_is_no_answer(self) -> None:
        assert assessed(**PREVENTION | {STRUCTURE: ""}).missing == (STRUCTURE,)


class TestRow2:
    def test_doubt_suppresses_the_conservative_default(self) -> None:
        assert outcome(ind_diagnostic_uncertainty=True, dec_size="small") == (2, ())

    def test_a_diagnosis_that_is_not_certain_is_doubt(self) -> None:
        assert outcome(diagnosis_certain=False, dec_size="small") == (2, (10,))

    def test_doubt_wins_over_certainty(self) -> None:
        assert outcome(diagnosis_certain=True, ind_diagnostic_uncertainty=True) == (2, ())

    def test_not_without_doubt(self) -> None:
        assert outcome(ind_diagnostic_uncertainty=False) == (10, ())


class TestRow3:
    def test_rapid_growth(self) -> None:
        found = assessed(ind_rapid_progression=True)
        assert (found.row, found.result, found.urgent) == (3, "surgery-may-be-considered", True)
        assert "ind-rapid-progression" in found.reasons[0]

    def test_prevention_with_structure_and_growth(self) -> None:
        found = assessed(**PREVENTION)
        assert (found.row, found.urgent, found.missing) == (3, True, ())

    @pytest.mark.parametrize(
        ("without", "missing"),
        [
            ({STRUCTURE: None}, (STRUCTURE,)),
            ({GROWTH: None}, (GROWTH,)),
            ({GROWTH: False}, (GROWTH,)),
            ({STRUCTURE: None, GROWTH: None}, (STRUCTURE, GROWTH)),
        ],
    )
    def test_prevention_without_them_is_row_9(self, without: dict[str, Any], missing: tuple[str, ...]) -> None:
        found = assessed(**PREVENTION | without)
        assert (found.row, found.result, found.urgent) == (9, "insufficient-information", False)
        assert found.missing == missing

    def test_structure_and_growth_without_the_tick(self) -> None:
        assert outcome(**PREVENTION | {"ind-prevent-complications": False}) == (10, ())

    def test_a_small_silent_deposit_that_grows_shows_both_sides(self) -> None:
        assert outcome(ind_rapid_progression=True, dec_size="small") == (3, (5,))

    @pytest.mark.parametrize("changes", [{"dec_size": None}, {"ind_diagnostic_uncertainty": True}])
    def test_is_urgent_whichever_row_sets_the_result(self, changes: dict[str, Any]) -> None:
        found = assessed(ind_rapid_progression=True, **changes)
        assert found.row < 3
        assert found.urgent
        assert 3 in found.also_matched


class TestRow4:
    @pytest.mark.parametrize("indication", [*SYMPTOMS, *OTHER_REASONS])
    def test_one_is_enough(self, indication: str) -> None:
        found = assessed(**{indication: True})
        assert (found.row, found.result, found.urgent) == (4, "surgery-may-be-considered", False)
        assert [f"({indication})" in reason for reason in found.reasons] == [True]

    @pytest.mark.parametrize("indication", SYMPTOMS)
    def test_a_small_deposit_with_a_symptom_is_not_silent(self, indication: str) -> None:
        assert outcome(**{indication: True}, dec_size="small") == (4, ())

    @pytest.mark.parametrize("indication", OTHER_REASONS)
    def test_a_small_silent_deposit_with_another_reason_shows_both_sides(self, indication: str) -> None:
        assert outcome(**{indication: True}, dec_size="small") == (4, (5,))

    def test_harm_to_wellbeing_from_pain(self) -> None:
        assert outcome(ind_quality_of_life=True, ind_quality_of_life_source=["looks", "pain"]) == (4, ())

    def test_severe_looks_with_impact(self) -> None:
        assert outcome(cosmetic_concern="severe", quality_of_life_impact=True) == (4, (10,))
        looks = {"ind_quality_of_life": True, "ind_quality_of_life_source": "looks"}
        assert outcome(cosmetic_concern="severe", **looks) == (4, ())

    @pytest.mark.parametrize(("concern", "impact"), [("severe", False), ("severe", None), ("moderate", True)])
    def test_severity_and_impact_are_both_needed(self, concern: str, impact: bool | None) -> None:
        assert outcome(cosmetic_concern=concern, quality_of_life_impact=impact) == (7, (10,))

    def test_names_every_reason_and_adds_up_nothing(self) -> None:
        found = assessed(**dict.fromkeys((*SYMPTOMS, *OTHER_REASONS), True))
        assert (found.row, len(found.reasons)) == (4, 10)


class TestRow5:
    def test_small_and_silent(self) -> None:
        found = assessed(dec_size="small")
        assert (found.row, found.result, found.also_matched) == (5, "conservative-preferred", (10,))

    @pytest.mark.parametrize("size", ["medium", "large"])
    def test_only_when_small(self, size: str) -> None:
        assert outcome(dec_size=size) == (10, ())

    def test_closeness_to_a_nerve_alone_changes_nothing(self) -> None:
        found = assessed(dec_size="small", ind_critical_anatomy=True)
        assert (found.row, found.also_matched) == (5, ())
        assert "ind-critical-anatomy" in found.reasons[1]

    def test_looks_or_a_wish_change_nothing(self) -> None:
        assert outcome(dec_size="small", cosmetic_concern="moderate") == (5, (10,))
        assert outcome(dec_size="small", ind_definitive_preference=True) == (5, (8,))

    def test_prevention_without_growth_is_named_beside_it(self) -> None:
        assert outcome(dec_size="small", ind_prevent_complications=True) == (5, (9,))


class TestRow6:
    @pytest.mark.parametrize("size", ["medium", "large"])
    def test_close_and_larger(self, size: str) -> None:
        assert outcome(ind_critical_anatomy=True, dec_size=size) == (6, ())

    def test_only_when_nothing_is_above(self) -> None:
        assert outcome(ind_critical_anatomy=True, ind_severe_pain=True) == (4, ())

    def test_comes_before_looks(self) -> None:
        assert outcome(ind_critical_anatomy=True, cosmetic_concern="severe") == (6, ())


class TestRow7:
    @pytest.mark.parametrize("concern", ["mild", "moderate", "severe"])
    def test_looks_alone(self, concern: str) -> None:
        found = assessed(cosmetic_concern=concern)
        assert (found.row, found.result) == (7, "conservative-preferred")
        assert "ten-cosmetic" in found.reasons[0]

    def test_not_without_a_concern(self) -> None:
        assert outcome(cosmetic_concern="none") == (10, ())

    def test_only_when_nothing_is_above(self) -> None:
        assert outcome(cosmetic_concern="moderate", ind_occupational=True) == (4, ())

    def test_harm_to_wellbeing_from_looks_that_are_not_severe(self) -> None:
        looks = {"ind_quality_of_life": True, "ind_quality_of_life_source": "looks"}
        assert outcome(cosmetic_concern="moderate", **looks) == (7, ())


class TestRows8To10:
    def test_a_wish_alone(self) -> None:
        found = assessed(ind_definitive_preference=True)
        assert (found.row, found.result) == (8, "insufficient-alone")

    def test_a_wish_with_something_else_ticked(self) -> None:
        assert outcome(ind_definitive_preference=True, ind_prevent_complications=True) == (9, ())
        assert outcome(ind_definitive_preference=True, ind_severe_pain=True) == (4, ())

    def test_harm_to_wellbeing_without_its_source(self) -> None:
        found = assessed(ind_quality_of_life=True)
        assert (found.row, found.missing) == (9, ("ind-quality-of-life-source",))

    def test_harm_to_wellbeing_from_looks_that_trouble_nobody(self) -> None:
        found = assessed(ind_quality_of_life=True, ind_quality_of_life_source="looks")
        assert (found.row, found.missing) == (9, ("cosmetic-concern",))

    def test_nothing_ticked(self) -> None:
        found = assessed()
        assert (found.row, found.result, found.missing, found.urgent) == (10, "no-indication", (), False)

    def test_treatments_and_scores_are_no_reason(self) -> None:
        assert outcome(prior_treatment=["eswt", "medication"], pain_score=9) == (10, ())


ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys((*INDICATIONS, GROWTH, "quality-of-life-impact", "diagnosis-certain"), st.booleans()),
        STRUCTURE: st.sampled_from(["", "ulnar nerve"]),
        "dec-size": st.sampled_from(["small", "medium", "large", "huge"]),
        "cosmetic-concern": st.sampled_from(["none", "mild", "moderate", "severe", "awful"]),
        "ind-quality-of-life-source": st.lists(st.sampled_from(["pain", "looks", "else"]), min_size=1, max_size=2),
    },
)


@given(ANSWERS)
def test_there_always_is_a_result_with_reasons(answers: dict[str, Any]) -> None:
    found = assess(response(answers))
    assert found.result == ROWS[found.row]
    assert found.reasons
    assert all("(" in reason and reason.endswith(".") for reason in found.reasons)
    assert list(found.also_matched) == sorted(set(found.also_matched) - set(range(found.row + 1)))
    assert found.urgent == (3 in (found.row, *found.also_matched))
    assert (found.row == 1) <= bool(found.missing)


@given(ANSWERS)
def test_waiting_is_never_proposed_in_doubt(answers: dict[str, Any]) -> None:
    found = assess(response(answers | {"ind-diagnostic-uncertainty": True}))
    assert found.row in (1, 2)
    assert 5 not in found.also_matched

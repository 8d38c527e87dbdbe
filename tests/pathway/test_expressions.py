"""FHIRPath: what is refused when a definition is loaded, and what a condition says."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pathway.errors import InvalidDefinition
from pathway.expressions import MAX_LENGTH, ExpressionFailed, check, evaluate, holds

PATIENT = {"resourceType": "Patient", "id": "p1", "active": True, "name": [{"given": ["Eva", "Maria"]}]}


@pytest.mark.parametrize(
    "expression",
    [
        "active",
        "%subject.exists()",
        "%resource.id = 'p1'",
        "name.given.where($this = 'today()').empty()",
        "'matches(' + id",
        "name // the official one\n .exists()",
    ],
)
def test_accepts(expression: str) -> None:
    check(expression, {"subject"})


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("name.given.matches('E.*')", "matches() is not allowed"),
        ("name.given.replaceMatches('E', 'A')", "replaceMatches() is not allowed"),
        ("now() > @2026-01-01", "now() is not allowed"),
        ("today ()", "today() is not allowed"),
        ("timeOfDay()", "timeOfDay() is not allowed"),
        ("name.trace('names')", "trace() is not allowed"),
        ("now/* hidden */()", "now() is not allowed"),
        ("now // hidden\n ()", "now() is not allowed"),
        ("%nobody.exists()", "%nobody is not known here"),
        ("%`nobody`.exists()", "%nobody is not known here"),
        ("%subject.exists() and %Other.exists()", "%Other is not known here"),
        ("name.where(", "is not FHIRPath"),
        ("name name", "is not FHIRPath"),
        ("%'subject'.exists()", "% is not known here"),
        ("", "is not FHIRPath"),
        ("a" * (MAX_LENGTH + 1), f"longer than {MAX_LENGTH} characters"),
    ],
)
def test_refuses(expression: str, reason: str) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        check(expression, {"subject"})
    assert reason in str(refused.value)


def test_a_condition_on_data_that_is_missing_is_neither_true_nor_false() -> None:
    assert holds("birthDate = '1960-01-01'", PATIENT, {}) is None
    assert holds("active", {"resourceType": "Patient"}, {}) is None


def test_a_condition_that_does_not_hold_is_false() -> None:
    assert holds("active = false", PATIENT, {}) is False
    assert holds("birthDate.exists()", PATIENT, {}) is False


def test_a_condition_that_holds_is_true() -> None:
    assert holds("active", PATIENT, {}) is True


@pytest.mark.parametrize("expression", ["id", "name.given.count()", "name"])
def test_a_condition_that_is_no_boolean_fails(expression: str) -> None:
    with pytest.raises(ExpressionFailed, match=r"1 value\(s\) that are not one boolean"):
        holds(expression, PATIENT, {})


def test_a_condition_with_two_values_fails() -> None:
    with pytest.raises(ExpressionFailed, match=r"gave 2 value\(s\) that are not one boolean"):
        holds("true | false", PATIENT, {})


def test_an_expression_that_cannot_be_evaluated_names_itself() -> None:
    with pytest.raises(ExpressionFailed, match=r"name\.unknownFunction\(\) could not be evaluated"):
        evaluate("name.unknownFunction()", PATIENT, {})


def test_variables_are_named_without_a_percent_sign() -> None:
    assert evaluate("%subject.name.given", {}, {"subject": PATIENT}) == ["Eva", "Maria"]
    assert evaluate("%visits.exists()", {}, {"visits": []}) == [False]


def test_decimals_compare_as_numbers() -> None:
    hot = {"resourceType": "Observation", "valueQuantity": {"value": Decimal("38.0")}}
    assert holds("value.value >= 38.0", hot, {}) is True
    assert holds("value.value > 38", hot, {}) is False

"""FHIRPath: what is refused when a definition is loaded, and what a condition says."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pathway.errors import InvalidDefinition
from pathway.expressions import MAX_LENGTH, ExpressionFailed, check, evaluate, holds, names_in

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
        "name.given.where($this = 'E').exists() and name.exists(family = 'x')",
        "iif(active, name.repeat(given), {}).coalesce(id, 'none')",
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
        ("name.descendants()", "descendants() is not allowed"),
        ("name.children()", "children() is not allowed"),
        ("name.unknownFunction()", "There is no function unknownFunction()"),
        ("`now`()", "There is no function `now`()"),
        ("name.where()", "where() does not take 0 argument(s)"),
        ("id.round(1, 2)", "round() does not take 2 argument(s)"),
        ("name.exists(given, family)", "exists() does not take 2 argument(s)"),
        ("name.count(1)", "count() does not take 1 argument(s)"),
        ("(" * 900 + "1" + ")" * 900, "is not FHIRPath (it is nested too deeply)"),
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


@pytest.mark.parametrize(
    ("expression", "gave"),
    [
        ("id", "1 value (string)"),
        ("name.given.count()", "1 value (integer)"),
        ("name", "1 value (object)"),
        ("$this", "1 value (Patient)"),
        ("true | false", "2 values (boolean)"),
        ("id | active", "2 values (boolean, string)"),
    ],
)
def test_a_condition_that_is_not_one_boolean_says_what_it_gave_and_what_it_should(expression: str, gave: str) -> None:
    with pytest.raises(ExpressionFailed) as failed:
        holds(expression, PATIENT, {})
    assert str(failed.value) == f"{expression} gave {gave}; a condition gives true, false or nothing"


@pytest.mark.parametrize(
    ("expression", "mistake"),
    [
        ("id > 3", "values of different types are compared"),
        ("id + 3", "values are added or subtracted that do not go together"),
        ("id - 'x'", "values are added or subtracted that do not go together"),
        ("id * 2", "a number was expected"),
        ("-id", "a number was expected"),
        ("active.startsWith('E')", "a text was expected"),
        ("id and true", "true or false was expected"),
        ("name.given.take(id)", "a whole number was expected"),
        ("name.given.single()", "several values, or one of another type, came where a single one was expected"),
        ("name.given & 'x'", "several values, or one of another type, came where a single one was expected"),
        ("%nobody.exists()", "%nobody is not known here"),
    ],
)
def test_an_expression_that_fails_names_itself_and_the_mistake(expression: str, mistake: str) -> None:
    with pytest.raises(ExpressionFailed) as failed:
        evaluate(expression, PATIENT, {})
    assert str(failed.value) == f"{expression} could not be evaluated: {mistake}"


def test_what_cannot_be_parsed_cannot_be_evaluated() -> None:
    with pytest.raises(ExpressionFailed, match=r"^name name is not FHIRPath \(column 6: "):
        evaluate("name name", PATIENT, {})


@pytest.mark.parametrize("expression", ["id > 3", "id + 3", "id * 2", "name.given & 'x'", "name.given.take(id)", "id"])
def test_a_failure_quotes_nothing_of_the_patient(expression: str) -> None:
    secret = {"resourceType": "Patient", "id": "Rumpel", "name": [{"given": ["Rumpel", "Stilz"]}]}
    with pytest.raises(ExpressionFailed) as failed:
        holds(expression, secret, {})
    assert "Rumpel" not in str(failed.value)


@pytest.mark.parametrize("expression", ["1 / 0", "1 div 0", "1 mod 0", "name[7]", "name.given[2]", "(1 | 2).skip(5)"])
def test_what_is_not_there_is_nothing(expression: str) -> None:
    assert evaluate(expression, PATIENT, {}) == []


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("true", ()),
        ("%b.exists() and %a.exists() and %b.id = 'x'", ("b", "a")),
        ("%a.id = '%b' or '\\'%c'.exists() // %d\n or /* %e */ %`f`.exists()", ("a", "f")),
    ],
)
def test_the_names_in_an_expression(expression: str, names: tuple[str, ...]) -> None:
    assert names_in(expression) == names


def test_variables_are_named_without_a_percent_sign() -> None:
    assert evaluate("%subject.name.given", {}, {"subject": PATIENT}) == ["Eva", "Maria"]
    assert evaluate("%visits.exists()", {}, {"visits": []}) == [False]


def test_decimals_compare_as_numbers() -> None:
    hot = {"resourceType": "Observation", "valueQuantity": {"value": Decimal("38.0")}}
    assert holds("value.value >= 38.0", hot, {}) is True
    assert holds("value.value > 38", hot, {}) is False

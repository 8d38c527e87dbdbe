"""The FHIRPath engine: what it may cost, and where it is put right."""

from __future__ import annotations

from time import sleep, thread_time
from typing import Any

import pytest

from pathway.budget import Budget, Metered, OverBudget
from pathway.expressions import ExpressionFailed, check, evaluate, holds, look

SMALL = Budget(seconds=0.05, items=1000, letters=1000, digits=50)
DATA = [
    {"resourceType": "Observation", "id": f"o{number}", "status": "final", "code": {"coding": [{"code": f"{number}"}]}}
    for number in range(400)
]


@pytest.mark.parametrize(
    "expression",
    [
        "%data.where(%data.where(%data.where(code.coding.code = 'x').exists()).exists()).exists()",
        "%data.where(%data.select(id).where($this = 'x').exists()).exists()",
        "%data.where(id in %data.id).where(id in %data.id).where(id in %data.id).exists()",
        "'a'.repeat($this & 'a').where($this.length() > 3)",
        "1.repeat($this + 1).empty()",
        "%data.aggregate($total | %data.where(id = 'x').id).exists()",
        "%data.all(%data.all(%data.all(status = 'final')))",
    ],
)
def test_an_expression_stops_when_its_time_is_used_up(expression: str) -> None:
    check(expression, {"data"})
    began = thread_time()
    with pytest.raises(ExpressionFailed) as failed:
        holds(expression, {}, {"data": DATA}, Budget(seconds=0.05))
    assert str(failed.value) == f"{expression} took too long: it was stopped after 0.05 s"
    assert thread_time() - began < 0.5


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("%data.select(%data).exists()", "more than 1000 values"),
        ("%data.combine(%data).combine(%data).exists()", "more than 1000 values"),
        ("%long.toChars().exists()", "more than 1000 values"),
        ("%long.split('x').exists()", "more than 1000 values"),
        ("'aaaa'" + ".select($this & $this)" * 10, "a text of more than 1000 letters"),
        ("'aaaa'.repeat($this + $this)", "a text of more than 1000 letters"),
        ("10" + ".select($this * $this)" * 10, "a number of more than 50 digits"),
        ("10.5" + ".select($this * $this)" * 10, "a number of more than 50 digits"),
        ("10.power(999999).toInteger()", "a number of more than 50 digits"),
        ("1000.exp()", "a number of more than 50 digits"),
        ("%long.replace('x', 'yy')", "a text of more than 1000 letters"),
        ("%data.select('a long text').join(', ')", "a text of more than 1000 letters"),
        ("%data.exclude(%data)", "more than 1000 values"),
        ("%data.intersect(%data)", "more than 1000 values"),
        ("%data.subsetOf(%data)", "more than 1000 values"),
    ],
)
def test_an_expression_stops_when_what_it_makes_grows_too_large(expression: str, reason: str) -> None:
    check(expression, {"data", "long"})
    budget = Budget(items=SMALL.items, letters=SMALL.letters, digits=SMALL.digits)
    with pytest.raises(ExpressionFailed) as failed:
        evaluate(expression, {}, {"data": DATA, "long": "x" * 1001}, budget)
    assert str(failed.value) == f"{expression} grew too large: {reason}"


@pytest.mark.parametrize(
    ("expression", "gives"),
    [
        ("%data.combine(%data).count()", 800),
        ("%data.select(code.coding).count()", 400),
        ("('aaaa'.select($this & $this)).length()", 8),
        ("10 * 10 * 10", 1000),
        ("10.power(3)", 1000),
        ("'a-b'.replace('-', '+')", "a+b"),
        ("('a' | 'b').join(', ')", "a, b"),
        ("('a' | 'b').intersect('b' | 'c')", "b"),
        ("('a' | 'b').exclude('b' | 'c')", "a"),
        ("('b' | 'b').subsetOf('b' | 'c')", True),
        ("%data.where(status = 'final').where(code.coding.where(code = '7').exists()).count()", 1),
    ],
)
def test_what_stays_inside_the_budget_is_evaluated(expression: str, gives: Any) -> None:
    budget = Budget(items=SMALL.items, letters=SMALL.letters, digits=SMALL.digits)
    assert evaluate(expression, {}, {"data": DATA}, budget) == [gives]


def test_one_that_is_stopped_is_looked_at_as_failed() -> None:
    seen = look("1.repeat($this + 1)", {}, {}, SMALL)
    assert (seen.outcome, seen.message) == ("failed", "1.repeat($this + 1) took too long: it was stopped after 0.05 s")


def test_waiting_for_a_busy_machine_uses_nothing_up() -> None:
    state = Metered({"model": "r4"}, Budget(seconds=0.05))
    sleep(0.06)
    assert state["model"] == "r4"


def test_working_uses_it_up() -> None:
    state = Metered({"model": "r4"}, Budget(seconds=0.02))
    began = thread_time()
    while thread_time() - began < 0.03:
        pass
    with pytest.raises(OverBudget, match=r"stopped after 0\.02 s"):
        _ = state["model"]


def test_a_condition_inside_another_is_looked_at_once_per_element() -> None:
    """The engine's own where() looks twice, so 2^15 times here."""
    deep = "%data.where(" + "$this.where(" * 15 + "true" + ")" * 15 + ".exists()).count()"
    assert evaluate(deep, {}, {"data": DATA[:1]}, SMALL) == [1]


ANSWERS = {"answer": [{"valueBoolean": True}, {"valueBoolean": False}, {"valueString": "x"}]}


@pytest.mark.parametrize(
    ("expression", "gives"),
    [
        ("%form.answer.where(valueBoolean).count()", [1]),
        ("%form.answer.exists(valueBoolean = false)", [True]),
        ("%form.answer[1].exists(valueBoolean)", [False]),
        ("%form.answer.where(valueInteger).exists()", [False]),
        ("%form.answer.where(valueString).count()", [1]),
        ("%form.answer.where($index = 2).valueString", ["x"]),
        ("%form.answer.select($index)", [0, 1, 2]),
        ("%form.answer.exists()", [True]),
        ("%form.item.exists()", [False]),
    ],
)
def test_where_keeps_what_its_condition_holds_for(expression: str, gives: list[Any]) -> None:
    assert evaluate(expression, {}, {"form": ANSWERS}) == gives


@pytest.mark.parametrize(
    ("expression", "gives"),
    [
        ("%data.ofType(Observation).count()", [400]),
        ("%data.ofType(Task).count()", [0]),
        ("%data.ofType(DomainResource).count()", [400]),
        ("%data.first() is Observation", [True]),
        ("%data.first() is Task", [False]),
        ("(%data.first() as Observation).id", ["o0"]),
        ("%data.first().as(Task).id", []),
        ("%data.where($this is Observation).count()", [400]),
        ("%data.status.first() is code", [True]),
    ],
)
def test_a_resource_that_is_a_variable_has_its_type(expression: str, gives: list[Any]) -> None:
    assert evaluate(expression, {}, {"data": DATA}) == gives


@pytest.mark.parametrize(("expression", "gives"), [("%none.single()", []), ("%one.single()", ["x"])])
def test_single_gives_the_only_value(expression: str, gives: list[str]) -> None:
    assert evaluate(expression, {}, {"none": [], "one": ["x"]}) == gives


def test_this_is_the_context_again_after_an_inner_expression() -> None:
    patient = {"resourceType": "Patient", "id": "p1"}
    inner = "%data.where(id = 'o7').select(id).combine(id)"
    assert evaluate(inner, patient, {"data": DATA}) == ["o7", "p1"]
    assert evaluate("$this.id", patient, {}) == ["p1"]


@pytest.mark.parametrize(
    ("expression", "gives"),
    [
        ("0.5.round()", "1"),
        ("2.5.round(0)", "3"),
        ("27.349.round(1)", "27.3"),
        ("7.round()", "7"),
        ("{}.round(1)", None),
    ],
)
def test_numbers_are_rounded_as_people_do(expression: str, gives: str | None) -> None:
    assert [str(value) for value in evaluate(expression, {}, {})] == ([] if gives is None else [gives])


def test_a_number_is_not_rounded_to_more_places_than_there_are() -> None:
    with pytest.raises(ExpressionFailed, match=r"round\(999999\) could not be evaluated"):
        evaluate("1.5.round(999999)", {}, {})

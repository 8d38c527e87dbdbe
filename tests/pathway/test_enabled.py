"""When a question is asked."""

from __future__ import annotations

from typing import Any

import pytest

from pathway.enabled import answers_of, enabled_only, is_enabled

RED = {"system": "http://example.org/colours", "code": "red", "display": "Red"}


def asked(*rules: dict[str, Any], behavior: str | None = None, **answer: Any) -> bool:
    """Whether a question with these rules is asked when `pain` was answered so."""
    items = [{"linkId": "pain", "answer": [answer]}] if answer else []
    question = {"linkId": "why", "enableWhen": [{"question": "pain", **rule} for rule in rules]}
    if behavior:
        question["enableBehavior"] = behavior
    return is_enabled(question, answers_of({"item": [{"linkId": "group", "item": items}]}))


@pytest.mark.parametrize(
    ("operator", "number", "expected"),
    [
        ("=", 5, True),
        ("=", 4, False),
        ("!=", 5, False),
        ("!=", 4, True),
        (">", 4, True),
        (">", 5, False),
        ("<", 6, True),
        ("<", 5, False),
        (">=", 5, True),
        (">=", 6, False),
        ("<=", 5, True),
        ("<=", 4, False),
    ],
)
def test_compares(operator: str, number: int, expected: bool) -> None:
    assert asked({"operator": operator, "answerInteger": number}, valueInteger=5) is expected


def test_exists() -> None:
    for expected in (True, False):
        assert asked({"operator": "exists", "answerBoolean": expected}, valueInteger=0) is expected
        assert asked({"operator": "exists", "answerBoolean": expected}) is not expected


def test_without_an_answer_no_comparison_holds() -> None:
    for operator in ("=", "!=", "<", ">"):
        assert not asked({"operator": operator, "answerInteger": 5})


def test_codes_are_compared_by_system_and_code() -> None:
    assert asked({"operator": "=", "answerCoding": RED}, valueCoding=RED | {"display": "Rouge"})
    assert not asked({"operator": "=", "answerCoding": RED}, valueCoding=RED | {"system": "http://example.org/else"})


@pytest.mark.parametrize("value", [{"valueString": "5"}, {"valueBoolean": True}, {"valueCoding": RED}])
def test_another_kind_of_answer_never_matches(value: dict[str, Any]) -> None:
    assert not asked({"operator": "=", "answerInteger": 1}, **value)
    assert not asked({"operator": "<", "answerInteger": 9}, **value)


def test_several_rules() -> None:
    five, six = ({"operator": "=", "answerInteger": number} for number in (5, 6))
    assert asked(five, six, behavior="any", valueInteger=5)
    assert not asked(five, six, behavior="any", valueInteger=7)
    assert not asked(five, six, behavior="all", valueInteger=5)
    assert asked(five, five, behavior="all", valueInteger=5)


def test_without_rules_always() -> None:
    assert asked()


def test_answers_inside_answers_count() -> None:
    inner = {"linkId": "pain", "answer": [{"valueInteger": 5}]}
    response = {"item": [{"linkId": "outer", "answer": [{"valueBoolean": True, "item": [inner]}]}]}
    assert answers_of(response) == {"outer": [True], "pain": [5]}


def kept(questions: list[dict[str, Any]], *links: str) -> list[str]:
    """Of questions that are all answered with yes, those that are left."""
    items = [{"linkId": link, "answer": [{"valueBoolean": True}]} for link in links]
    left = enabled_only({"item": items}, {"item": questions})
    return [item["linkId"] for item in left.get("item", [])]


def if_answered(link: str, on: str, answered: bool) -> dict[str, Any]:
    rule = {"question": on, "operator": "exists", "answerBoolean": answered}
    return {"linkId": link, "type": "boolean", "enableWhen": [rule]}


def test_an_answer_that_is_not_asked_for_enables_nothing() -> None:
    chain = [if_answered("c", "b", True), if_answered("b", "a", True), if_answered("a", "nothing", True)]
    assert kept(chain, "c", "b", "a") == []


def test_a_question_comes_back_when_what_kept_it_out_goes() -> None:
    assert kept([if_answered("b", "a", False), if_answered("a", "nothing", True)], "b", "a") == ["b"]


def test_rules_that_contradict_each_other_come_to_an_end() -> None:
    assert kept([if_answered("a", "b", False), if_answered("b", "a", True)], "a", "b") in ([], ["a"], ["a", "b"])

"""Answers that a form works out of its other answers, when it is filled in from the record and by a person."""

from __future__ import annotations

from pathway.calculated import calculated
from tests.pathway.questionnaires import (
    answer,
    answered,
    computed,
    filled,
    form,
    group,
    initial,
    links,
    question,
    values,
    when,
)


def test_calculated_answers_follow_from_each_other_and_from_what_is_asked() -> None:
    first, second, total = (f"%resource.item.where(linkId='{link}').answer.value" for link in ("a", "b", "sum"))
    asked = form(
        question("double", "integer", computed(f"{total} * 2")),
        question("large", "boolean", computed("true"), **when("double", ">", answerInteger=5)),
        question("sum", "integer", computed(f"{first} + {second}")),
        question("a", "integer", initial("1")),
        question("b", "integer", initial("2")),
        question("c", "integer", computed(f"{total} + 1"), **when("a", answerInteger=7)),
    )
    populated = filled(asked)
    assert populated.issues == []
    assert [values(populated.response, link) for link in ("a", "b", "sum", "double", "large")] == [
        [1],
        [2],
        [3],
        [6],
        [True],
    ]
    assert "c" not in links(populated.response)


def test_a_circle_of_calculations_ends_and_is_said() -> None:
    asked = form(
        question("a", "integer", computed("iif(%resource.item.where(linkId='b').answer.exists(), {}, 1)")),
        question("b", "integer", computed("iif(%resource.item.where(linkId='a').answer.exists(), 1, {})")),
    )
    assert "in a circle" in filled(asked).issues[-1].diagnostics


def test_a_calculation_in_a_repetition_sees_its_own_item() -> None:
    inner = question("twice", "integer", computed("%context.answer.value"), initial=[{"valueInteger": 4}])
    relative = group("g", question("n", "integer", initial("1")), inner)
    assert values(filled(form(relative)).response, "twice") == [4]


def test_calculated_answers_of_a_form_that_somebody_fills_in() -> None:
    before, now = (f"%resource.item.where(linkId='{link}').answer.value" for link in ("before", "now"))
    asked = form(
        question("before", "integer"),
        question("now", "integer"),
        group("result", question("relief", "integer", computed(f"{before} - {now}"), readOnly=True)),
    )
    response = answered(answer("before", valueInteger=8), answer("now", valueInteger=3), status="in-progress")
    populated = calculated(response, asked)
    assert values(populated.response, "relief") == [5]
    assert populated.issues == []
    changed = {**populated.response, "item": [answer("before", valueInteger=9), *populated.response["item"][1:]]}
    assert values(calculated(changed, asked).response, "relief") == [6]
    assert calculated(response | {"item": [answer("now", valueInteger=3)]}, asked).response["item"] == [
        answer("now", valueInteger=3)
    ]


def test_what_somebody_answered_in_place_of_a_calculation_stays() -> None:
    asked = form(question("sum", "integer", computed("1 + 1")))
    response = answered(answer("sum", valueInteger=7), status="in-progress")
    assert calculated(response, asked).response == response

"""Flat answers to a form, as its QuestionnaireResponse holds them: each where the form asks for it, of its type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pathway.ports import Resource

Answers = Mapping[str, Any]
_VALUES = {
    "boolean": "valueBoolean",
    "decimal": "valueDecimal",
    "integer": "valueInteger",
    "date": "valueDate",
    "string": "valueString",
    "text": "valueString",
}


def filled(form: Resource, answers: Answers) -> list[Resource]:
    """The items of a response to a Questionnaire.

    `answers`: by linkId; a choice by its code, a list for several answers; a repeated group is a list of answers each;
    None is no answer.
    """
    left = {link: value for link, value in answers.items() if value is not None}
    items = _items(form["item"], left)
    assert not left, f"{form['name']} does not ask for {sorted(left)}"
    return items


def _items(questions: Sequence[Resource], left: dict[str, Any]) -> list[Resource]:
    found: list[Resource] = []
    for question in questions:
        link, inner = question["linkId"], question.get("item", [])
        if question["type"] == "group" and link in left:
            found += [{"linkId": link, "item": _items(inner, dict(one))} for one in left.pop(link)]
        elif question["type"] == "group" and (items := _items(inner, left)):
            found.append({"linkId": link, "item": items})
        elif link in left:
            given = left.pop(link)
            answer = [_answer(question, one) for one in (given if isinstance(given, list) else [given])]
            if items := _items(inner, left):
                answer[-1]["item"] = items
            found.append({"linkId": link, "answer": answer})
    return found


def _answer(question: Resource, value: Any) -> Resource:
    for option in question.get("answerOption", []):
        coding = option["valueCoding"]
        if coding["code"] == value:
            return {"valueCoding": {"system": coding["system"], "code": value}}
    return {_VALUES[question["type"]]: value}

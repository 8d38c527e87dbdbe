"""Answers that a form works out of its other answers (SDC calculatedExpression), worked out until nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pathway.answers import answer_of
from pathway.elements import parts
from pathway.enabled import enabled_only
from pathway.errors import InvalidDefinition, PathwayError
from pathway.issues import Issue
from pathway.ports import Resource
from pathway.sdc import CALCULATED_EXPRESSION, Populated, Scope, extension_value, failure, with_variables


def calculated(response: Resource, questionnaire: Resource, scope: Scope | None = None) -> Populated:
    """The response with its calculated answers. What somebody answered in a question that is not read-only stays."""
    return _settled(response, questionnaire, scope, lambda filled: filled)


def calculated_and_enabled(response: Resource, questionnaire: Resource, scope: Scope) -> Populated:
    """The same, without the questions that the answers do not enable."""
    return _settled(response, questionnaire, scope, lambda filled: enabled_only(filled, questionnaire))


def _settled(
    response: Resource, questionnaire: Resource, scope: Scope | None, shown_of: Callable[[Resource], Resource]
) -> Populated:
    """One answer can lead to another, and a question that goes takes its answer along: as often as there are items."""
    around = scope or Scope.of(response, questionnaire)
    shown, issues = response, list[Issue]()
    for _ in range(2 + sum("linkId" in part for _, part in parts(questionnaire, ""))):
        calculation = _Calculation()
        before, shown = shown, shown_of(calculation.form(response, questionnaire, around.having(resource=shown)))
        if shown == before:
            return Populated(shown, calculation.issues)
        issues = calculation.issues
    endless = "The calculated answers of this form never settle: they depend on each other in a circle."
    return Populated(shown, [*issues, Issue("warning", "processing", endless, "Questionnaire")])


class _Calculation:
    """One time through a response."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []

    def form(self, response: Resource, questionnaire: Resource, scope: Scope) -> Resource:
        return self._level(response, questionnaire.get("item", []), self._named(questionnaire, scope))

    def _level(self, parent: Resource, questions: Sequence[Resource], scope: Scope) -> Resource:
        """A response, group or answer with the calculated answers below it, in the order of the form."""
        known = {question["linkId"] for question in questions}
        items = [item for item in parent.get("item", []) if item["linkId"] not in known]
        for question in questions:
            around = self._named(question, scope.having(qitem=question))
            there = [item for item in parent.get("item", []) if item["linkId"] == question["linkId"]]
            items += [self._item(item, question, around) for item in there] or self._new(question, around)
        bare = {name: value for name, value in parent.items() if name != "item"}
        return {**bare, "item": items} if items else bare

    def _new(self, question: Resource, scope: Scope) -> list[Resource]:
        """An item that is not there yet, once it has an answer in it."""
        item = self._item(new_item(question), question, scope)
        return [item] if item.keys() & {"answer", "item"} else []

    def _item(self, item: Resource, question: Resource, scope: Scope) -> Resource:
        inner = question.get("item", [])
        if question["type"] == "group":
            return self._level(item, inner, scope)
        answers = self._answers(item, question, scope)
        bare = {name: value for name, value in item.items() if name != "answer"}
        return {**bare, "answer": [self._level(answer, inner, scope) for answer in answers]} if answers else bare

    def _answers(self, item: Resource, question: Resource, scope: Scope) -> list[Resource]:
        given: list[Resource] = item.get("answer", [])
        expression = extension_value(question, CALCULATED_EXPRESSION)
        if expression is None or (given and not question.get("readOnly")):
            return given
        try:
            return answers_to(question, scope.evaluate(expression, item))
        except PathwayError as error:
            self.issues.append(failure(question, error, expression))
            return []

    def _named(self, element: Resource, scope: Scope) -> Scope:
        named, issues = with_variables(element, scope)
        self.issues += issues
        return named


def new_item(question: Resource) -> Resource:
    """An item of a response to this question or group, with nothing in it yet."""
    return {name: question[name] for name in ("linkId", "text") if name in question}


def answers_to(question: Resource, values: Sequence[object]) -> list[Resource]:
    """The answers these values are. Raises InvalidDefinition and InvalidResource when they are none."""
    if len(values) > 1 and not question.get("repeats"):
        raise InvalidDefinition(f"{len(values)} values for a question that takes one")
    return [answer_of(value, question) for value in values]

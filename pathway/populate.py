"""A form filled in as far as the record allows, for a person to check and complete (SDC, expression-based population).

https://hl7.org/fhir/uv/sdc/populate.html. Read are `initial` and `initialSelected`, initialExpression,
itemPopulationContext, calculatedExpression, `variable` and launchContext, all of them in FHIRPath.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pathway.calculated import answers_to, calculated_and_enabled, new_item
from pathway.errors import PathwayError
from pathway.expressions import ExpressionFailed
from pathway.issues import Issue
from pathway.ports import Resource
from pathway.references import reference_to
from pathway.sdc import (
    INITIAL_EXPRESSION,
    POPULATION_CONTEXT,
    Populated,
    Scope,
    extension_value,
    failure,
    launch_contexts,
    valued,
    with_variables,
)
from pathway.situation import authored_order

_RESERVED = frozenset({"context", "rootResource", "qitem", "ucum", "sct", "loinc"})
Launch = Mapping[str, Resource | Sequence[Resource]]


def populate(
    questionnaire: Resource, subject: Resource, launch: Launch, data: Sequence[Resource], at: str
) -> Populated:
    """A response `in-progress`, authored `at` (a FHIR dateTime), with every question that its answers enable.

    Expressions see `%subject`, `%patient` (when the subject is one), the launch contexts by name, `%data` (what is
    known here of the subject, answers oldest first), `%resource`, `%questionnaire` and `%qitem`. What cannot be worked
    out is left open and said in an issue that names the question and the expression.
    """
    response: Resource = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": _canonical(questionnaire),
        "status": "in-progress",
        "subject": {"reference": reference_to(subject)},
        "authored": at,
    }
    answered = sorted((r for r in data if r["resourceType"] == "QuestionnaireResponse"), key=authored_order)
    known = {
        "resource": response,
        "questionnaire": questionnaire,
        "subject": subject,
        "data": [*(r for r in data if r["resourceType"] != "QuestionnaireResponse"), *answered],
    }
    patient = {"patient": subject} if subject["resourceType"] == "Patient" else {}
    scope, issues = _launched(questionnaire, {**patient, **launch}, known)
    form = _Form(response)
    form.fill(questionnaire, scope)
    settled = calculated_and_enabled(response, questionnaire, scope)
    return Populated(settled.response, list(dict.fromkeys([*issues, *form.issues, *settled.issues])))


def _canonical(questionnaire: Resource) -> str:
    if "url" not in questionnaire:
        return reference_to(questionnaire)
    version = questionnaire.get("version")
    return f"{questionnaire['url']}|{version}" if version else str(questionnaire["url"])


def _launched(questionnaire: Resource, launch: Launch, known: Mapping[str, Any]) -> tuple[Scope, list[Issue]]:
    """The launch contexts given, without those of a type that the form does not declare."""
    issues: list[Issue] = []
    given = {name: value for name, value in launch.items() if value and name not in {*known, *_RESERVED}}
    absent: dict[str, str] = {}
    for name, types in launch_contexts(questionnaire).items():
        wanted = " or ".join(types)
        wrong = {one["resourceType"] for one in _listed(given.get(name, [])) if one["resourceType"] not in types}
        if wrong:
            found = " or ".join(sorted(wrong))
            sentence = f"The launch context '{name}' is to be a {wanted}, not a {found}; it is left out."
            issues.append(Issue("warning", "invalid", sentence, "Questionnaire.extension"))
            del given[name]
        if name not in given and name not in known:
            absent[name] = wanted
    return Scope({**given, **known}, absent), issues


def _listed(value: Resource | Sequence[Resource]) -> Sequence[Resource]:
    return [value] if isinstance(value, dict) else value


class _Form:
    """All questions of a form, enabled or not, with what they are filled in with at first."""

    def __init__(self, response: Resource) -> None:
        self.response, self.issues = response, list[Issue]()

    def fill(self, questionnaire: Resource, scope: Scope) -> None:
        for inner in self._occurrences(questionnaire, self._named(questionnaire, scope)):
            self._level(self.response, questionnaire.get("item", []), inner)

    def _level(self, parent: Resource, questions: Sequence[Resource], scope: Scope) -> None:
        for question in questions:
            around = self._named(question, scope.having(qitem=question))
            if question["type"] == "group":
                for inner in self._occurrences(question, around):
                    self._level(_added(parent, question), question.get("item", []), inner)
            elif question["type"] != "display":
                self._question(_added(parent, question), question, around)

    def _question(self, item: Resource, question: Resource, scope: Scope) -> None:
        inner = scope.having(**self._context(question, scope))
        if answers := self._initial(item, question, inner):
            item["answer"] = answers
        for answer in answers:
            self._level(answer, question.get("item", []), inner)

    def _initial(self, item: Resource, question: Resource, scope: Scope) -> list[Resource]:
        expression = extension_value(question, INITIAL_EXPRESSION)
        selected = [option for option in question.get("answerOption", []) if option.get("initialSelected")]
        fixed = [valued(one)[1] for one in [*question.get("initial", []), *selected]]
        try:
            return answers_to(question, scope.evaluate(expression, item) if expression else fixed)
        except PathwayError as error:
            self.issues.append(failure(question, error, expression))
            return []

    def _occurrences(self, group: Resource, scope: Scope) -> list[Scope]:
        """One scope per repetition, each with its own population context; one, empty-handed, when there is none."""
        for name, values in self._context(group, scope).items():
            if len(values) > 1 and not group.get("repeats"):
                error = ExpressionFailed(f"it is there once, and its population context gave {len(values)} values")
                self.issues.append(failure(group, error, extension_value(group, POPULATION_CONTEXT)))
                return [scope.having(**{name: []})]
            return [scope.having(**{name: value}) for value in values or [[]]]
        return [scope]

    def _context(self, element: Resource, scope: Scope) -> dict[str, list[Any]]:
        """The population context by its name, if there is one; empty when it cannot be worked out."""
        expression = extension_value(element, POPULATION_CONTEXT)
        if expression is None:
            return {}
        try:
            return {str(expression.get("name")): scope.evaluate(expression)}
        except PathwayError as error:
            self.issues.append(failure(element, error, expression))
            return {str(expression.get("name")): []}

    def _named(self, element: Resource, scope: Scope) -> Scope:
        named, issues = with_variables(element, scope)
        self.issues += issues
        return named


def _added(parent: Resource, question: Resource) -> Resource:
    """Added at once, so that expressions see what is filled in before them."""
    item = new_item(question)
    parent.setdefault("item", []).append(item)
    return item

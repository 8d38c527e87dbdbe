"""Forms of SDC (https://hl7.org/fhir/uv/sdc/): their extensions, and their expressions in the place of an item."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pathway.errors import InvalidDefinition, PathwayError
from pathway.expressions import FHIRPATH, ExpressionFailed, check, evaluate
from pathway.issues import Issue
from pathway.ports import Resource

_SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
LAUNCH_CONTEXT = f"{_SDC}launchContext"
POPULATION_CONTEXT = f"{_SDC}itemPopulationContext"
INITIAL_EXPRESSION = f"{_SDC}initialExpression"
CALCULATED_EXPRESSION = f"{_SDC}calculatedExpression"
OBSERVATION_EXTRACT = f"{_SDC}observationExtract"
OBSERVATION_CATEGORY = f"{_SDC}observation-extract-category"
DEFINITION_EXTRACT = f"{_SDC}definitionExtract"
DEFINITION_VALUE = f"{_SDC}definitionExtractValue"
VARIABLE = "http://hl7.org/fhir/StructureDefinition/variable"
UNIT = "http://hl7.org/fhir/StructureDefinition/questionnaire-unit"


@dataclass(frozen=True)
class Populated:
    """A QuestionnaireResponse and, as issues, what could not be filled in."""

    response: Resource
    issues: Sequence[Issue] = ()


@dataclass(frozen=True)
class Scope:
    """What an expression sees: variables by name, `resource` (the response) always among them.

    `absent` are the launch contexts that the form declares and nobody gave, with their types in words.
    """

    variables: Mapping[str, Any]
    absent: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, response: Resource, questionnaire: Resource) -> Scope:
        """What every expression of a form sees, when nothing is known of who looks at it and why."""
        absent = {name: " or ".join(types) for name, types in launch_contexts(questionnaire).items()}
        return cls({"resource": response, "questionnaire": questionnaire}, absent)

    def having(self, **more: Any) -> Scope:
        return replace(self, variables={**self.variables, **more})

    def evaluate(self, expression: Resource, item: Resource | None = None) -> list[Any]:
        """An Expression's values, in the place of an item of the response or, without one, of the response itself.

        Raises InvalidDefinition and ExpressionFailed, naming the expression.
        """
        text = str(expression.get("expression", ""))
        if expression.get("language") != FHIRPATH:
            raise InvalidDefinition(f"'{expression.get('language')}' is not known, only {FHIRPATH}: {text}")
        for name, types in self.absent.items():
            if re.search(rf"%{re.escape(name)}\b", text):
                raise ExpressionFailed(f"{text} needs the launch context '{name}' ({types}), which was not given")
        check(text, self.variables)
        if item is None:
            return evaluate(text, self.variables["resource"], self.variables)
        # A bare item has no type in FHIRPath and `value` would find nothing in it, so it is reached through a response.
        placed = "item.select(" + text.replace("%context", "%context.item") + "\n)"
        around = {"resourceType": "QuestionnaireResponse", "item": [item]}
        try:
            return evaluate(placed, around, self.variables)
        except ExpressionFailed as error:
            raise ExpressionFailed(str(error).replace(placed, text)) from error


def extensions(element: Resource, url: str) -> list[Resource]:
    """The extensions of an element with this url, in their order."""
    return [extension for extension in element.get("extension", []) if extension["url"] == url]


def extension_value(element: Resource, url: str) -> Any:
    """The value of the first extension with this url; None without one."""
    return next((valued(extension)[1] for extension in extensions(element, url)), None)


def valued(element: Resource) -> tuple[str, Any]:
    """The value[x] of an extension, an answer or an option with its name: ("valueCoding", {…}); ("", None) without."""
    return next(((name, value) for name, value in element.items() if name.startswith("value")), ("", None))


def launch_contexts(questionnaire: Resource) -> dict[str, list[str]]:
    """The names of the launch contexts that a form declares, with the types of resource each may be."""
    declared: dict[str, list[str]] = {}
    for extension in extensions(questionnaire, LAUNCH_CONTEXT):
        name = extension_value(extension, "name") or {}
        declared[str(name.get("code"))] = [str(valued(one)[1]) for one in extensions(extension, "type")]
    return declared


def with_variables(element: Resource, scope: Scope) -> tuple[Scope, list[Issue]]:
    """The scope with the variables that a form or an item defines (extension `variable`), in their order."""
    issues: list[Issue] = []
    for extension in extensions(element, VARIABLE):
        expression = valued(extension)[1]
        values: list[Any] = []
        try:
            values = scope.evaluate(expression)
        except PathwayError as error:
            issues.append(failure(element, error, expression))
        scope = scope.having(**{str(expression.get("name")): values})
    return scope, issues


def failure(element: Resource, error: PathwayError, expression: Resource | None = None) -> Issue:
    """What could not be worked out for a form or one of its items, which is left open."""
    link = element.get("linkId")
    name, place = (f"'{link}'", f"Questionnaire.item.where(linkId='{link}')") if link else ("The form", "Questionnaire")
    text = str((expression or {}).get("expression", ""))
    said = str(error) if text in str(error) else f"{error} ({text})"
    return Issue("warning", error.code, f"{name} is left open: {said}", place)

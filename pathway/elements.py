"""What can be said of a definition by itself: the objects in it with their FHIRPath, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from pathway.errors import InvalidDefinition
from pathway.expressions import FHIRPATH, check
from pathway.ports import Resource

_PARAMETER = re.compile(r"%parameters\.(\w+)")


def expression_problems(
    resource: Resource, names: Collection[str], parameters: Collection[str]
) -> Iterator[tuple[str, str]]:
    for path, part in parts(resource, resource["resourceType"]):
        if "expression" not in part or not isinstance(part["expression"], str):
            continue
        if part.get("language") != FHIRPATH:
            yield f"{path}.language", f"'{part.get('language')}' is not known, only {FHIRPATH}: {part['expression']}"
            continue
        try:
            # A trigger is looked at with nothing but the resource that came in.
            check(part["expression"], () if ".trigger[" in path else names)
        except InvalidDefinition as error:
            yield f"{path}.expression", str(error)
        for name in parameters_named(part["expression"]):
            if name not in parameters:
                yield f"{path}.expression", f"there is no pathway parameter '{name}': {part['expression']}"


def parameters_named(expression: str) -> list[str]:
    """The pathway parameters that an expression names."""
    return _PARAMETER.findall(expression)


def questionnaire_problems(questionnaire: Resource) -> Iterator[tuple[str, str]]:
    items = [(path, part) for path, part in parts(questionnaire, "Questionnaire") if "linkId" in part]
    links = [part["linkId"] for _, part in items]
    for path, part in items:
        if links.count(part["linkId"]) > 1:
            yield f"{path}.linkId", f"'{part['linkId']}' is used by several items"
        for number, rule in enumerate(part.get("enableWhen", [])):
            if rule["question"] not in links:
                yield f"{path}.enableWhen[{number}].question", f"there is no item '{rule['question']}'"


def parts(value: Any, path: str) -> Iterator[tuple[str, Resource]]:
    """Every JSON object below a value, itself included, with its FHIRPath."""
    if isinstance(value, dict):
        yield path, value
        for name, inner in value.items():
            if isinstance(inner, list):
                for number, one in enumerate(inner):
                    yield from parts(one, f"{path}.{name}[{number}]")
            else:
                yield from parts(inner, f"{path}.{name}")


def actions_of(plan: Resource) -> Iterator[tuple[str, Resource]]:
    """Every action of a PlanDefinition, outer before inner, with its FHIRPath."""

    def walk(actions: Sequence[Resource], path: str) -> Iterator[tuple[str, Resource]]:
        for number, action in enumerate(actions):
            if isinstance(action, dict):
                here = f"{path}.action[{number}]"
                yield here, action
                yield from walk(action.get("action", []), here)

    return walk(plan.get("action", []), "PlanDefinition")

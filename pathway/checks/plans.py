"""What is wrong with a plan's actions taken one by one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from pathway import codes
from pathway.checks.places import Place, places
from pathway.checks.timing import timing_problems
from pathway.checks.values import value_problems
from pathway.nested import Definitions, has_offset
from pathway.ports import Resource
from pathway.site import coding_of
from pathway.situation import PATIENT_TYPES

_ARRIVES = ("data-added", "data-changed", "data-modified")
_LITERAL = re.compile(r"\s*(?:'(?:\\.|[^'\\])*'|-?\d[\d.]*(?:\s+\S+)?|@\S+|\{\s*\})\s*")


def plan_problems(plan: Resource, definitions: Definitions) -> Iterator[tuple[str, str]]:
    """What is wrong with a plan by itself; `definitions` are those it may name."""
    found = places(plan, definitions)
    goals = {str(goal.get("id")) for goal in plan.get("goal", [])}
    yield from _id_problems(found)
    for place in found:
        yield from _definition_problems(place, definitions)
        for check in _CHECKS:
            yield from check(place)
        for number, goal in enumerate(place.action.get("goalId", [])):
            if goal not in goals:
                yield f"{place.path}.goalId[{number}]", f"there is no goal '{goal}'"
    yield from timing_problems(found)


def _id_problems(found: Sequence[Place]) -> Iterator[tuple[str, str]]:
    used = Counter(place.action.get("id") for place in found)
    for place in found:
        if place.action.get("id") is None:
            yield place.path, "the action has no id"
        elif used[place.id] > 1:
            yield f"{place.path}.id", f"the id '{place.id}' is used by several actions"


def _definition_problems(place: Place, definitions: Definitions) -> Iterator[tuple[str, str]]:
    canonical = place.action.get("definitionCanonical")
    if canonical and definitions.find(canonical, "ActivityDefinition", "PlanDefinition", "Questionnaire") is None:
        yield f"{place.path}.definitionCanonical", f"there is no definition {canonical}"


def _group_problems(place: Place) -> Iterator[tuple[str, str]]:
    """An action that leads to no request has nobody to do it, no element to set and no time of its own."""
    action = place.action
    nests = "definitionCanonical" in action
    if place.kind is not None:
        return
    without_effect = [*(f"{place.path}.{name}" for name in ("participant", "dynamicValue") if name in action)]
    for path in [*without_effect, *place.conditions("start"), *place.conditions("stop")]:
        yield path, "has no effect here: the action leads to no request itself"
    for number, related in enumerate(action.get("relatedAction", [])):
        if ("action" in action and not nests) or not (nests or has_offset(related)):
            yield f"{place.path}.relatedAction[{number}]", "has no effect on a group: say it at the actions below"


def _condition_problems(place: Place) -> Iterator[tuple[str, str]]:
    for number, condition in enumerate(place.action.get("condition", [])):
        path, expression = f"{place.path}.condition[{number}]", condition.get("expression", {}).get("expression")
        if expression is None:
            yield f"{path}.expression", "there is no expression"
        elif _LITERAL.fullmatch(expression):
            yield f"{path}.expression.expression", f"is neither true nor false, whatever is known: {expression}"
    if place.kind == "ServiceRequest":
        for path in place.conditions("stop"):
            yield path, "a stop condition ends a Task, an Appointment or a message; an order is ended by a clinician"


def _participant_problems(place: Place) -> Iterator[tuple[str, str]]:
    for number, participant in enumerate(place.action.get("participant", [])):
        if coding_of(participant.get("role"), codes.ROLE) is None:
            yield f"{place.path}.participant[{number}].role", f"has no code of {codes.ROLE}: nobody would own the work"


def _trigger_problems(place: Place) -> Iterator[tuple[str, str]]:
    triggers = place.action.get("trigger", [])
    if place.action.get("cardinalityBehavior") == "multiple" and not triggers:
        yield f"{place.path}.cardinalityBehavior", "what comes several times needs a trigger for each time"
    for number, trigger in enumerate(triggers):
        path = f"{place.path}.trigger[{number}]"
        if trigger.get("type") not in _ARRIVES:
            yield f"{path}.type", f"'{trigger.get('type')}' is not supported by this engine: {', '.join(_ARRIVES)}"
        if not trigger.get("data"):
            yield f"{path}.data", "there is no type of resource to look for"
        for one, data in enumerate(trigger.get("data", [])):
            if data.get("type") not in PATIENT_TYPES:
                yield (
                    f"{path}.data[{one}].type",
                    f"'{data.get('type')}' is not among what the engine reads: {', '.join(PATIENT_TYPES)}",
                )
        if "condition" in trigger and "expression" not in trigger["condition"]:
            yield f"{path}.condition", "there is no expression"


def _value_problems(place: Place) -> Iterator[tuple[str, str]]:
    return value_problems(place.action, place.path, place.kind)


_CHECKS: Sequence[Callable[[Place], Iterator[tuple[str, str]]]] = (
    _group_problems,
    _condition_problems,
    _participant_problems,
    _trigger_problems,
    _value_problems,
)

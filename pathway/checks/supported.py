"""What the engine honours of a definition, and what only describes it. Anything else is refused, never ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pathway.checks.shape import place_of
from pathway.elements import parts
from pathway.ports import Resource

_DESCRIBED = frozenset(
    {"resourceType", "id", "meta", "implicitRules", "language", "text", "contained", "extension"}
    | {"url", "identifier", "version", "name", "title", "subtitle", "status", "experimental", "subjectCodeableConcept"}
    | {"date", "publisher", "contact", "description", "useContext", "jurisdiction", "purpose", "usage", "copyright"}
    | {"approvalDate", "lastReviewDate", "effectivePeriod", "topic", "author", "editor", "reviewer", "endorser"}
    | {"relatedArtifact"}
)
_ELEMENT = frozenset({"id", "extension"})
_BEHAVIORS = frozenset(f"{name}Behavior" for name in ("grouping", "selection", "required", "precheck", "cardinality"))
_EXPRESSION = _ELEMENT | {"description", "language", "expression"}
_SUPPORTED: Mapping[str, frozenset[str]] = {
    "PlanDefinition": _DESCRIBED | {"type", "goal", "action"},
    "PlanDefinition.action": (
        _ELEMENT
        | {"prefix", "title", "description", "textEquivalent", "code", "reason", "documentation", "goalId"}
        | {"trigger", "condition", "relatedAction", "participant", "definitionCanonical", "dynamicValue", "action"}
        | _BEHAVIORS
    ),
    "PlanDefinition.action.trigger": _ELEMENT | {"type", "data", "condition"},
    "PlanDefinition.action.trigger.data": _ELEMENT | {"type"},
    "PlanDefinition.action.trigger.condition": _EXPRESSION,
    "PlanDefinition.action.condition.expression": _EXPRESSION,
    "PlanDefinition.action.dynamicValue.expression": _EXPRESSION,
    "ActivityDefinition": _DESCRIBED | {"kind", "code", "intent", "priority", "timingDuration", "dynamicValue"},
    "ActivityDefinition.dynamicValue.expression": _EXPRESSION,
}
_INSTEAD: Mapping[str, str] = {
    "definitionUri": "name a definition that is loaded with it, as definitionCanonical",
    "timing": "say the days as a relatedAction with an offset",
    "transform": "set elements by dynamicValue",
    "priority": "set it in the ActivityDefinition or by a dynamicValue with the path 'priority'",
    "participant": "say who does it as participant of the action",
    "codeFilter": "say it in the condition of the trigger",
    "dateFilter": "say it in the condition of the trigger",
    "modifierExtension": "it could change the meaning",
}


def unsupported(resource: Resource) -> Iterator[tuple[str, str]]:
    """Elements that the engine would ignore."""
    kind = resource["resourceType"]
    for path, part in parts(resource, kind):
        supported = _SUPPORTED.get(place_of(path), part.keys())
        for name in part:
            ignored = name == "modifierExtension" or name.removeprefix("_") not in supported
            if ignored:
                yield f"{path}.{name}", _sentence(name)


def _sentence(name: str) -> str:
    hint = next((words for start, words in _INSTEAD.items() if name.startswith(start)), None)
    return "is not supported by this engine" + (f": {hint}" if hint else "")

"""Whether a definition is what R4 calls one: its identity, its elements and their types, codes of required bindings."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from pathway.elements import parts
from pathway.ports import Resource
from pathway.requests import KINDS

CANONICAL = frozenset(
    {"PlanDefinition", "ActivityDefinition", "Questionnaire", "CodeSystem", "ValueSet", "OperationDefinition"}
)
TYPES = CANONICAL | {"DocumentReference"}

_NOT_R4 = frozenset({"subjectCanonical", "valueCodeableReference", "valueRatioRange"})
# Leaves of a path the element's own place: indexes go, and an inner action is an action.
_INDEX = re.compile(r"(?:\.action\[\d+\])+(?=\.action\[)|\[\d+\]")
_INTENTS = ("proposal", "plan", "directive", "order", "original-order", "reflex-order", "filler-order")
_RELATIONSHIPS = ("before-start", "before", "before-end", "after-start", "after", "after-end")
_CODES: Mapping[str, Mapping[str, Collection[str]]] = {
    "ActivityDefinition": {
        "kind": KINDS,
        "intent": (*_INTENTS, "instance-order", "option"),
        "priority": ("routine", "urgent", "asap", "stat"),
    },
    "PlanDefinition.action": {
        "groupingBehavior": ("visual-group", "logical-group", "sentence-group"),
        "selectionBehavior": ("any", "all", "all-or-none", "exactly-one", "at-most-one", "one-or-more"),
        "requiredBehavior": ("must", "could", "must-unless-documented"),
        "precheckBehavior": ("yes", "no"),
        "cardinalityBehavior": ("single", "multiple"),
    },
    "PlanDefinition.action.condition": {"kind": ("applicability", "start", "stop")},
    "PlanDefinition.action.relatedAction": {
        "relationship": (*_RELATIONSHIPS, "concurrent-with-start", "concurrent", "concurrent-with-end"),
    },
    "PlanDefinition.action.participant": {"type": ("patient", "practitioner", "related-person", "device")},
}


def identity_problems(resource: Any) -> Iterator[tuple[str, str]]:
    """Why it cannot even be named: no JSON object of a known type, or no url and version."""
    if not isinstance(resource, dict) or resource.get("resourceType") not in TYPES:
        yield "resourceType", f"must be one of {', '.join(sorted(TYPES))}"
        return
    kind = resource["resourceType"]
    needed = ("id", "url", "version", "name", "status") if kind in CANONICAL else ("id", "status")
    missing = [name for name in needed if not isinstance(resource.get(name), str)]
    if missing:
        yield kind, f"missing or no text: {', '.join(missing)}"


def shape_problems(resource: Resource) -> list[tuple[str, str]]:
    """What is not R4 in a definition that can be named."""
    kind = resource["resourceType"]
    return list(_not_r4(resource, kind)) or list(_mistyped(resource, kind)) or list(_unknown_codes(resource, kind))


def place_of(path: str) -> str:
    """The element that a FHIRPath with indexes leads to, such as `PlanDefinition.action.condition`."""
    return _INDEX.sub("", path)


def _not_r4(resource: Resource, kind: str) -> Iterator[tuple[str, str]]:
    for path, part in parts(resource, kind):
        for name in sorted(_NOT_R4 & part.keys()):
            yield f"{path}.{name}", "is not an element of FHIR R4 (4.0.1)"


def _mistyped(resource: Resource, kind: str) -> Iterator[tuple[str, str]]:
    try:
        get_fhir_model_class(kind).model_validate(resource)
    except ValidationError as error:
        for one in error.errors():
            yield _fhirpath(kind, one["loc"]), one["msg"]


def _unknown_codes(resource: Resource, kind: str) -> Iterator[tuple[str, str]]:
    for path, part in parts(resource, kind):
        for name, allowed in _CODES.get(place_of(path), {}).items():
            if name in part and part[name] not in allowed:
                yield f"{path}.{name}", f"'{part[name]}' is not one of {', '.join(sorted(allowed))}"


def _fhirpath(kind: str, location: Sequence[int | str]) -> str:
    return kind + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)

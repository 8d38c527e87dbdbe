"""Whether a dynamicValue can be set: a plain path to an element that the request has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import get_args, get_origin

from fhir.resources.R4B import get_fhir_model_class

from pathway.ports import Resource
from pathway.requests import KINDS

_PATH = re.compile(r"(?P<first>[a-z][A-Za-z]*)(?P<index>\[\d+\])?(\.[a-z][A-Za-z]*(\[\d+\])?)*")
_OURS = frozenset({"resourceType", "id", "meta", "identifier"})


def value_problems(part: Resource, path: str, kind: str | None) -> Iterator[tuple[str, str]]:
    """What is wrong with the dynamicValues of an action or activity (`part` at `path`) for a request of this kind."""
    for number, value in enumerate(part.get("dynamicValue", [])):
        here = f"{path}.dynamicValue[{number}]"
        if "expression" not in value.get("expression", {}):
            yield f"{here}.expression", "there is no expression"
        target = str(value.get("path", ""))
        sentence = _path_problem(target, kind)
        if sentence:
            yield f"{here}.path", f"'{target}' {sentence}"


def _path_problem(target: str, kind: str | None) -> str | None:
    found = _PATH.fullmatch(target)
    if found is None:
        return "is no path of names and indexes such as priority or payload[0].contentString"
    if kind not in KINDS:
        return None
    fields = {field.alias or name: field.annotation for name, field in get_fhir_model_class(kind).model_fields.items()}
    first = found["first"]
    if first in _OURS:
        return "is not to be set: the identity of a request is the service's own"
    if first not in fields:
        return f"is not an element of {kind} in FHIR R4"
    repeats = any(get_origin(one) is list for one in get_args(fields[first]))
    if repeats != (found["index"] is not None):
        return f"needs an index: {kind}.{first} repeats" if repeats else f"takes no index: {kind}.{first} is there once"
    return None

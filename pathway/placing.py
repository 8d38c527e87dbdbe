"""Values put into a resource at the paths of its elements, each in the shape that R4 has there.

An answer is a Coding, a decimal or a date; the element it belongs to may be a CodeableConcept, a Quantity or a dateTime
(https://hl7.org/fhir/R4/questionnaireresponse.html, SDC data extraction).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, get_args, get_origin

from fhir.resources.R4B import get_fhir_model_class

from pathway.errors import InvalidDefinition
from pathway.ports import Resource
from pathway.references import reference_to

_DAY = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_TIME = re.compile(r"\d\d:\d\d:\d\d(\.\d+)?")
_TEXTS = ("String", "Markdown", "Code", "Uri", "Url", "Canonical", "Id")
_QUANTITIES = ("Quantity", "Age", "Duration", "Count", "Distance")


@dataclass(frozen=True)
class Element:
    """A JSON property of a type: the name of its own type, whether it is a list, the choice (value[x]) it is one of."""

    kind: str
    many: bool
    choice: str | None


class Draft:
    """A resource in the making."""

    def __init__(self, type: str) -> None:
        """Raises InvalidDefinition for a type that is no resource of R4."""
        if "meta" not in elements_of(type):
            raise InvalidDefinition(f"{type} is a datatype, not a resource")
        self.resource: Resource = {"resourceType": type}
        self._open: dict[tuple[str, ...], Resource] = {}

    @contextmanager
    def element(self, path: str) -> Iterator[None]:
        """A new repetition of a list, which takes what is put below its path meanwhile. Raises InvalidDefinition."""
        names = tuple(_names(path))
        parent, type = self._reached(names[:-1], path)
        element = _own(type, names[-1], path)
        if not element.many:
            yield
            return
        self._open[names] = {}
        parent.setdefault(names[-1], []).append(self._open[names])
        try:
            yield
        finally:
            del self._open[names]

    def put(self, path: str, value: Any, source: str = "", unit: Resource | None = None) -> None:
        """A value at a path such as `Condition.code` or `Observation.value[x]`; `source` is its type, if known.

        A list grows; any other element is set once. Raises InvalidDefinition for a value that does not belong there.
        """
        names = tuple(_names(path))
        node, type = self._reached(names[:-1], path)
        offered = _offered(type, names[-1])
        shapes = _shapes(value, source, unit or {})
        for kind, shaped in shapes:
            name = next((n for n, e in offered.items() if kind in (e.kind, "*") and not _taken(node, n, e)), None)
            if name is not None and offered[name].many:
                node.setdefault(name, []).append(shaped)
                return
            if name is not None:
                node[name] = shaped
                return
        raise InvalidDefinition(f"{path} does not take {_shown(value)}, or has a value already")

    def finished(self) -> Resource:
        """The resource without elements that nothing was put in."""
        whole = _pruned(self.resource)
        assert isinstance(whole, dict)
        return whole

    def _reached(self, names: tuple[str, ...], path: str) -> tuple[Resource, str]:
        """The element that a path leads through, made where it is missing; of a list the open or last one."""
        node, type = self.resource, str(self.resource["resourceType"])
        for depth, name in enumerate(names, 1):
            element = _own(type, name, path)
            if names[:depth] in self._open:
                node = self._open[names[:depth]]
            elif element.many:
                listed = node.setdefault(name, [{}])
                node = listed[-1]
            else:
                node = node.setdefault(name, {})
            type = element.kind
        return node, type


@lru_cache(maxsize=256)
def elements_of(type: str) -> Mapping[str, Element]:
    """The elements of a resource or datatype by the names they have in JSON. Raises InvalidDefinition."""
    try:
        fields = get_fhir_model_class(type).model_fields
    except ValueError as error:
        raise InvalidDefinition(f"there is no type {type} in FHIR R4") from error
    found: dict[str, Element] = {}
    for name, field in fields.items():
        extra = field.json_schema_extra
        kind, many = _unwrapped(field.annotation)
        found[field.alias or name] = Element(kind, many, extra.get("one_of_many") if isinstance(extra, dict) else None)  # type: ignore[arg-type]
    return found


def _shown(value: Any) -> str:
    return f"an object with {', '.join(value)}" if isinstance(value, dict) else f"'{value}'"


def _unwrapped(annotation: Any) -> tuple[str, bool]:
    if get_origin(annotation) is Annotated:
        return type(get_args(annotation)[1]).__name__, False
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return ("Boolean" if annotation is bool else annotation.__name__.removesuffix("Type")), False
    inner = next(part for part in get_args(annotation) if part is not type(None))
    kind, many = _unwrapped(inner)
    return kind, many or get_origin(annotation) is list


def _names(path: str) -> list[str]:
    """The names below the type; a slice is the element it is a slice of."""
    return [step.partition(":")[0].removesuffix("[x]") for step in path.split(".")[1:]]


def _own(type: str, name: str, path: str) -> Element:
    element = elements_of(type).get(name)
    if element is None:
        raise InvalidDefinition(f"{path} is no element of FHIR R4: {type} has no '{name}'")
    return element


def _offered(type: str, name: str) -> Mapping[str, Element]:
    elements = elements_of(type)
    if name in elements:
        return {name: elements[name]}
    return {known: element for known, element in elements.items() if element.choice == name}


def _taken(node: Resource, name: str, element: Element) -> bool:
    """A place that was only made on the way to an element that there is not is still free."""
    return not element.many and node.get(name, {}) != {}


def _shapes(value: Any, source: str, unit: Resource) -> Iterator[tuple[str, Any]]:
    """What a value can be written as, by type, the best first."""
    if isinstance(value, bool):
        yield "Boolean", value
    elif isinstance(value, dict):
        yield from _complex(value, source)
    elif isinstance(value, (int, float, Decimal)):
        yield from _numbers(value, unit)
    else:
        yield from _texts(str(value), source)


def _complex(value: Resource, source: str) -> Iterator[tuple[str, Any]]:
    if "resourceType" in value:
        yield "Reference", {"reference": reference_to(value)}
    elif source == "Coding" or (not source and "code" in value and "value" not in value):
        yield "CodeableConcept", {"coding": [value]}
        yield "Coding", value
        yield from ((kind, value["code"]) for kind in ("Code", "String") if "code" in value)
    elif "coding" in value:
        yield "CodeableConcept", value
    elif source == "Quantity":
        yield from ((kind, value) for kind in _QUANTITIES)
    else:
        yield source or "*", value


def _numbers(value: Any, unit: Resource) -> Iterator[tuple[str, Any]]:
    quantities = [(kind, {"value": value, **unit}) for kind in _QUANTITIES]
    if unit:
        yield from quantities
    if isinstance(value, int):
        yield from ((kind, value) for kind in ("Integer", "PositiveInt", "UnsignedInt"))
    yield "Decimal", value
    yield from quantities


def _texts(value: str, source: str) -> Iterator[tuple[str, Any]]:
    if source in ("", "Date", "DateTime", "Instant"):
        if _DAY.fullmatch(value):
            yield "Date", value
        if _DAY.fullmatch(value) or _MOMENT.fullmatch(value):
            yield "DateTime", value
        if _MOMENT.fullmatch(value):
            yield "Instant", value
    if _TIME.fullmatch(value):
        yield "Time", value
    yield from ((kind, value) for kind in _TEXTS)
    yield from (
        ("CodeableConcept", {"text": value}),
        ("Annotation", {"text": value}),
        ("Reference", {"reference": value}),
    )


def _pruned(node: Any) -> Any:
    if isinstance(node, dict):
        kept = {name: _pruned(value) for name, value in node.items()}
        return {name: value for name, value in kept.items() if value not in ({}, [])}
    if isinstance(node, list):
        return [value for value in map(_pruned, node) if value not in ({}, [])]
    return node

"""R4's rules that hold anywhere in a resource: ele-1, ext-1, ref-1, per-1, qty-3, tim-*, dom-2 to dom-5, null padding.

They are told by the shape of an object alone, in one walk over a resource the schema has already found sound. Inner
resources of types this product has no elements of are not looked into.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from fhir_adapters.r4 import dates, tables
from pathway.issues import Issue

Json = dict[str, Any]

_EXTENSIONS = ("extension", "modifierExtension")
_MEALS = {"C", "CM", "CD", "CV"}


_Place = tuple[Any, str | int]  # the place above (None at the top) and the step from there: cheap until it is spelt


@dataclass
class _Scope:
    """What one resource with its contained ones shares; `conditional`: references may be searches (transactions)."""

    contained: frozenset[str]
    conditional: bool
    issues: list[Issue]
    mentioned: set[str] = field(default_factory=set)

    def broken(self, rule: str, sentence: str, place: _Place) -> None:
        self.issues.append(Issue("error", "invariant", f"{_spelt(place)}: {sentence} ({rule})", _spelt(place)))


def _spelt(place: _Place) -> str:
    above, key = place
    if above is None:
        return str(key)
    return f"{_spelt(above)}[{key}]" if isinstance(key, int) else f"{_spelt(above)}.{key.lstrip('_')}"


def check(resource: Json, root: str) -> list[Issue]:
    """The broken rules of a resource and of those inside it; `root` begins every place."""
    issues: list[Issue] = []
    _resource(resource, (None, root), False, issues)
    return issues


def _resource(resource: Json, place: _Place, conditional: bool, issues: list[Issue]) -> None:
    contained = resource.get("contained", [])
    ids = [str(inner["id"]) for inner in contained if "id" in inner]
    if resource["resourceType"] == "Bundle":
        conditional = resource["type"] in ("transaction", "batch")
    scope = _Scope(frozenset(ids), conditional, issues)
    _members(resource, place, scope)
    if not contained:
        return
    if len(ids) != len(set(ids)):
        scope.broken("dom-3", "two contained resources have the same id", place)
    for index, inner in enumerate(contained):
        _contained(inner, ((place, "contained"), index), scope)


def _contained(inner: Json, place: _Place, scope: _Scope) -> None:
    meta = inner["meta"] if isinstance(inner.get("meta"), dict) else {}
    if "contained" in inner:
        scope.broken("dom-2", "a contained resource contains another", place)
    if "versionId" in meta or "lastUpdated" in meta:
        scope.broken("dom-4", "a contained resource has a versionId or lastUpdated of its own", place)
    if "security" in meta:
        scope.broken("dom-5", "a contained resource has security labels of its own", place)
    if f"#{inner.get('id')}" not in scope.mentioned and "#" not in _mentions(inner):
        scope.broken("dom-3", "nothing in the resource refers to this contained resource", place)


def _mentions(value: Any) -> set[str]:
    """Every `#id` (or `#`, the container) anywhere in a resource."""
    if isinstance(value, str):
        return {value} if value.startswith("#") else set()
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return set().union(*map(_mentions, inner))


def _members(node: Json, place: _Place, scope: _Scope) -> None:
    for key, value in node.items():
        if isinstance(value, str):
            if value.startswith("#"):
                scope.mentioned.add(value)
        elif isinstance(value, dict):
            _object(value, key, (place, key), scope)
        elif isinstance(value, list):
            _list(node, key, value, place, scope)
    if not _RULES.keys().isdisjoint(node):
        for key, rule in _RULES.items():
            if key in node:
                rule(node, place, scope)


def _list(node: Json, key: str, values: list[Any], place: _Place, scope: _Scope) -> None:
    here: _Place = (place, key)
    for index, value in enumerate(values):
        if isinstance(value, dict):
            _object(value, key, (here, index), scope)
        elif isinstance(value, str) and value.startswith("#"):
            scope.mentioned.add(value)
    partner = key.removeprefix("_") if key.startswith("_") else f"_{key}"
    if None in values or (key.startswith("_") and partner in node):
        _padding(values, node.get(partner, []), here, scope)


def _padding(values: list[Any], partner: list[Any], place: _Place, scope: _Scope) -> None:
    if partner and len(values) != len(partner):
        scope.broken("ele-1", "its values and its list of extensions have different lengths", place)
    for index, value in enumerate(values):
        if value is None and (index >= len(partner) or partner[index] is None):
            scope.broken("ele-1", "null stands for neither a value nor an extension", (place, index))


def _object(node: Json, key: str, place: _Place, scope: _Scope) -> None:
    if "resourceType" in node:
        if node["resourceType"] not in tables.resource_types():
            scope.mentioned |= _mentions(node)
            return
        if not _is_contained(place):
            _resource(node, place, scope.conditional, scope.issues)
            return
    if len(node) == 1 and "id" in node and not key.startswith("_"):
        scope.broken("ele-1", "an element needs a value or children besides its id", place)
    if key in _EXTENSIONS and ("extension" in node) == any(name.startswith(("value", "_value")) for name in node):
        scope.broken("ext-1", "an extension has either a value or extensions, not both", place)
    _members(node, place, scope)


def _is_contained(place: _Place) -> bool:
    above, _ = place
    return above is not None and above[1] == "contained"


def _reference(node: Json, place: _Place, scope: _Scope) -> None:
    reference = node["reference"]
    if not isinstance(reference, str):
        return
    if reference.startswith("#"):
        if len(reference) > 1 and reference[1:] not in scope.contained:
            scope.broken("ref-1", f"no contained resource has the id {reference[1:81]!r}", place)
    elif "?" in reference and ":" not in reference.split("?")[0] and not scope.conditional:
        scope.broken("ref-1", "a reference by search is allowed only within a batch or transaction", place)


def _period(node: Json, place: _Place, scope: _Scope) -> None:
    start, end = node["start"], node.get("end")
    if isinstance(start, str) and isinstance(end, str) and "resourceType" not in node and dates.later(start, end):
        scope.broken("per-1", f"the end {end} is before the start {start}", place)


def _quantity(node: Json, place: _Place, scope: _Scope) -> None:
    if "code" in node and "system" not in node and isinstance(node["value"], (int, float, Decimal)):
        scope.broken("qty-3", "a coded unit needs its system", place)


def _timing(node: Json, place: _Place, scope: _Scope) -> None:
    repeat = node["repeat"]
    if not isinstance(repeat, dict):
        return
    here: _Place = (place, "repeat")
    for rule, key, needed in _TIMING_NEEDS:
        if key in repeat and needed not in repeat:
            scope.broken(rule, f"{key} needs {needed}", here)
    for rule, key in (("tim-4", "duration"), ("tim-5", "period")):
        if repeat.get(key, 0) < 0:
            scope.broken(rule, f"{key} is negative", here)
    if "offset" in repeat and ("when" not in repeat or _MEALS & set(repeat["when"])):
        scope.broken("tim-9", "offset needs a when that is not a meal itself (C, CM, CD, CV)", here)
    if "timeOfDay" in repeat and "when" in repeat:
        scope.broken("tim-10", "timeOfDay and when exclude each other", here)


_TIMING_NEEDS = (
    ("tim-1", "duration", "durationUnit"),
    ("tim-2", "period", "periodUnit"),
    ("tim-6", "periodMax", "period"),
    ("tim-7", "durationMax", "duration"),
    ("tim-8", "countMax", "count"),
)

_RULES: dict[str, Callable[[Json, _Place, _Scope], None]] = {
    "reference": _reference,
    "start": _period,
    "value": _quantity,
    "repeat": _timing,
}

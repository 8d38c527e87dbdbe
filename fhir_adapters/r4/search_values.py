"""What a resource can be found by: its values for every search parameter of its type (R4, search 3.1.1).

`_id` and `_lastUpdated` belong to whoever keeps the resource and are not among them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from typing import Any, Literal

from fhir_adapters.r4 import dates, tables

Json = dict[str, Any]
Kind = Literal["token", "reference", "date", "string", "uri", "quantity", "number"]

_KEPT_ELSEWHERE = ("_id", "_lastUpdated")
_PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
_NAME_PARTS = ("family", "given", "prefix", "suffix", "text")
_ADDRESS_PARTS = ("line", "city", "district", "state", "postalCode", "country", "text")
_TYPED = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/[A-Za-z0-9.-]{1,64}$")
_STEP = re.compile(r"(\w+)(?:\[(\w+)=([\w-]+)\])?")


@dataclass(frozen=True)
class SearchValue:
    """One value of one parameter; what is not named for its kind is None.

    token: `system` (None if the datatype has none) and `value`. uri: `value`. string: `value`, folded by `fold`.
    reference: `value` is `Type/id` or an absolute URL, without version; a logical reference has `system` ("" if it
    gave none) and `value` of its identifier; a canonical is there with and without `|version`.
    date: `low` (inclusive) and `high` (exclusive) as UTC texts like `2026-03-01T08:30:00.000000Z`, None where open.
    quantity, number: `low` and `high` as plain decimals, None where open; a quantity has the unit's `system` and, as
    `value`, its code (or the unit's text if it has none).
    """

    param: str
    kind: Kind
    system: str | None = None
    value: str | None = None
    low: str | None = None
    high: str | None = None


@dataclass(frozen=True)
class SearchDefinition:
    """A search parameter; `targets` are the types a reference may name, empty for any."""

    name: str
    type: Kind
    targets: frozenset[str]


@dataclass(frozen=True)
class _Path:
    """One JSON path to values of a datatype; a step with a condition takes only elements where `key` is `value`."""

    steps: tuple[tuple[str, str, str], ...]
    datatype: str
    target: str


@dataclass
class _Found:
    """Collects values, each once."""

    param: str
    kind: Kind
    values: dict[SearchValue, None] = field(default_factory=dict)

    def add(self, **parts: str | None) -> None:
        self.values[SearchValue(self.param, self.kind, **parts)] = None


def definition(resource_type: str, param: str) -> SearchDefinition | None:
    """The search parameter of a type, those of every type (`_id`, `_tag`, ...) included; None if it has no such one."""
    table = tables.search()
    entry = table.get(resource_type, {}).get(param) or table["Resource"].get(param)
    if entry is None or resource_type not in table:
        return None
    return SearchDefinition(param, entry["type"], frozenset(entry.get("targets", ())))


def definitions(resource_type: str) -> list[SearchDefinition]:
    """Every search parameter of a type, by name."""
    names = tables.search()["Resource"].keys() | tables.search()[resource_type].keys()
    return [found for name in sorted(names) if (found := definition(resource_type, name))]


def values(resource: Json) -> list[SearchValue]:
    """The search values of an admitted resource of one of our types, in the order of its parameters' names."""
    found: list[SearchValue] = []
    for param, kind, paths in _plan(resource["resourceType"]):
        present = [path for path in paths if path.steps[0][0] in resource]
        if not present:
            continue
        collected = _Found(param, kind)
        for path in present:
            for value in _reach(resource, path.steps):
                _READERS[kind](value, path, collected)
        found += collected.values
    return found


def fold(text: str) -> str:
    """Text as string search compares it: case, accents and surplus white space do not matter."""
    folded = text.casefold()
    if not folded.isascii():
        folded = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    return " ".join(folded.split())


def parse_date_query(text: str) -> tuple[str, str | None, str | None]:
    """`ge2026-03-01` -> prefix (`eq` if none), first moment, moment after the last. ValueError: not a date."""
    prefix, rest = (text[:2], text[2:]) if text[:2] in _PREFIXES else ("eq", text)
    return prefix, *dates.interval(rest)


@cache
def _plan(resource_type: str) -> list[tuple[str, Kind, list[_Path]]]:
    table = tables.search()
    entries = table["Resource"] | table[resource_type]
    return [
        (name, entries[name]["type"], [_path(text) for text in entries[name]["paths"]])
        for name in sorted(entries)
        if name not in _KEPT_ELSEWHERE
    ]


def _path(text: str) -> _Path:
    route, _, end = text.partition(":")
    datatype, _, target = end.partition(">")
    found = [_STEP.fullmatch(step) for step in re.split(r"\.(?![^\[]*\])", route)]
    return _Path(tuple((m[1], m[2] or "", m[3] or "") for m in found if m), datatype, target)


def _reach(node: Any, steps: tuple[tuple[str, str, str], ...]) -> Iterator[Any]:
    if isinstance(node, list):
        for item in node:
            yield from _reach(item, steps)
    elif not steps:
        if node is not None:
            yield node
    elif isinstance(node, dict) and (child := node.get(steps[0][0])) is not None:
        _, key, wanted = steps[0]
        if key:
            child = [item for item in (child if isinstance(child, list) else [child]) if item.get(key) == wanted]
        yield from _reach(child, steps[1:])


def _token(value: Any, path: _Path, found: _Found) -> None:
    match path.datatype:
        case "CodeableConcept":
            for coding in value.get("coding", []):
                if "code" in coding:
                    found.add(system=coding.get("system"), value=coding["code"])
        case "Coding":
            if "code" in value:
                found.add(system=value.get("system"), value=value["code"])
        case "Identifier" | "ContactPoint":
            if "value" in value:
                found.add(system=value.get("system"), value=value["value"])
        case "boolean":
            found.add(value="true" if value else "false")
        case _:
            found.add(value=value)


def _reference(value: Any, path: _Path, found: _Found) -> None:
    if path.datatype != "Reference":
        _uri(value, path, found)
        return
    reference = value.get("reference", "").partition("/_history/")[0]
    named = _TYPED.search(reference)
    if path.target and path.target != (named[1] if named else value.get("type", path.target)):
        return
    if reference and not reference.startswith("#"):
        found.add(value=reference)
    identifier = value.get("identifier", {})
    if "value" in identifier:
        found.add(system=identifier.get("system", ""), value=identifier["value"])


def _uri(value: str, path: _Path, found: _Found) -> None:
    if value.startswith("#"):
        return
    found.add(value=value)
    if path.datatype == "canonical":
        found.add(value=value.partition("|")[0])


def _string(value: Any, path: _Path, found: _Found) -> None:
    parts = {"HumanName": _NAME_PARTS, "Address": _ADDRESS_PARTS}.get(path.datatype)
    if parts is None:
        found.add(value=fold(value))
        return
    for part in parts:
        for text in _reach(value, ((part, "", ""),)):
            found.add(value=fold(text))


def _date(value: Any, path: _Path, found: _Found) -> None:
    if path.datatype == "Timing":
        low, high = _timing(value)
        if low is None and high is None:
            return
    elif path.datatype == "Period":
        low, high = _period(value)
    else:
        low, high = dates.interval(value)
    found.add(low=low, high=high)


def _period(period: Json) -> dates.Interval:
    low = dates.interval(period["start"])[0] if "start" in period else None
    return low, dates.interval(period["end"])[1] if "end" in period else None


def _timing(timing: Json) -> dates.Interval:
    """From the first to the last event, or the bounds; both None when the timing names no dates."""
    events = [dates.interval(event) for event in timing.get("event", []) if event is not None]
    if not events:
        return _period(timing.get("repeat", {}).get("boundsPeriod", {}))
    lows, highs = [low for low, _ in events], [high for _, high in events]
    return (
        None if None in lows else min(low for low in lows if low),
        None if None in highs else max(high for high in highs if high),
    )


def _quantity(value: Any, path: _Path, found: _Found) -> None:
    if path.datatype == "Range":
        low, high = value.get("low", {}), value.get("high", {})
        if "value" in low or "value" in high:
            unit = low or high
            found.add(**_unit(unit), low=_number_text(low.get("value")), high=_number_text(high.get("value")))
    elif "value" in value:
        number = _number_text(value["value"])
        found.add(**_unit(value), low=number, high=number)


def _unit(quantity: Json) -> dict[str, str | None]:
    return {"system": quantity.get("system"), "value": quantity.get("code", quantity.get("unit"))}


def _number(value: Any, path: _Path, found: _Found) -> None:
    if path.datatype == "Range":
        _quantity(value, path, found)
        found.values = {replace(entry, system=None, value=None): None for entry in found.values}
    else:
        number = _number_text(value)
        found.add(low=number, high=number)


def _number_text(number: Decimal | float | None) -> str | None:
    return None if number is None else format(Decimal(str(number)), "f")


_READERS: dict[str, Callable[[Any, _Path, _Found], None]] = {
    "token": _token,
    "reference": _reference,
    "date": _date,
    "string": _string,
    "uri": _uri,
    "quantity": _quantity,
    "number": _number,
}

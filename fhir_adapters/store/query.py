"""A FHIR search as it was asked: read once, then answered in SQL or in memory (https://hl7.org/fhir/R4/search.html)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fhir_adapters.r4.search_values import SearchDefinition, definition, fold, parse_date_query
from fhir_adapters.store.conditions import Condition, Range, Reference, Text, TextMatch, Token, Uri
from fhir_adapters.store.indexing import HIGHEST, LOGICAL, LOWEST
from fhir_adapters.store.paging import DEFAULT_COUNT, MAX_COUNT, Sort
from fhir_adapters.store.references import relative
from pathway.errors import InvalidResource
from pathway.ports import Query

_ESCAPED = re.compile(r"\\([\\,$|])")
_TEXT_MATCHES: dict[str, TextMatch] = {"": "starts", "exact": "exact", "contains": "contains"}
_TYPE_NAME = re.compile(r"[A-Z][A-Za-z]+")
_SORTS = {"_lastUpdated": Sort("seq"), "-_lastUpdated": Sort("seq", descending=True), "_id": Sort("id")}


@dataclass(frozen=True)
class Filter:
    """A parameter: a resource matches when one of its values of that `kind` meets one alternative.

    `negated` turns that round (`:not`); `missing` asks only whether there is a value.
    """

    param: str
    kind: str
    alternatives: tuple[Condition, ...] = ()
    negated: bool = False
    missing: bool | None = None


@dataclass(frozen=True)
class Search:
    """All filters must hold. `ids` and `updated` are about the resource itself, alternatives inside each."""

    type: str
    filters: tuple[Filter, ...] = ()
    ids: tuple[frozenset[str], ...] = ()
    updated: tuple[tuple[Range, ...], ...] = ()
    sort: Sort = _SORTS["_lastUpdated"]
    count: int = DEFAULT_COUNT
    total: bool = False
    count_only: bool = False


def parse_query(type: str, query: Query, base_url: str = "") -> Search:
    """Raises InvalidResource that names the first parameter, modifier or value it cannot honour."""
    filters: list[Filter] = []
    ids: list[frozenset[str]] = []
    updated: list[tuple[Range, ...]] = []
    control: dict[str, str] = {}
    for name, value in query:
        if name in ("_count", "_sort", "_total", "_summary"):
            control[name] = value
        elif name == "_id":
            ids.append(frozenset(_alternatives(value)))
        elif name == "_lastUpdated":
            updated.append(tuple(_range(name, part) for part in _alternatives(value) or [""]))
        else:
            filters.append(_filter(type, name, value, base_url))
    count = _count(control.get("_count"))
    return Search(
        type,
        tuple(filters),
        tuple(ids),
        tuple(updated),
        _sort(control.get("_sort", "_lastUpdated")),
        min(count or DEFAULT_COUNT, MAX_COUNT),
        total=_one_of(control, "_total", ("none", "estimate", "accurate")) == "accurate",
        count_only=_one_of(control, "_summary", ("false", "count")) == "count" or count == 0,
    )


def _filter(type: str, name: str, value: str, base_url: str) -> Filter:
    param, _, modifier = name.partition(":")
    defined = definition(type, param)
    if defined is None:
        raise InvalidResource(f"{type} cannot be searched by the parameter {param}")
    if modifier == "missing":
        return Filter(param, defined.type, missing=_boolean(name, value))
    kind: str = defined.type
    negated = False
    if kind == "token" and modifier == "not":
        negated, modifier = True, ""
    if kind == "reference" and modifier == "identifier":
        kind, modifier = LOGICAL, ""
    alternatives = tuple(_condition(name, kind, modifier, part, defined, base_url) for part in _alternatives(value))
    if not alternatives:
        raise InvalidResource(f"The search parameter {name} has no value")
    return Filter(param, kind, alternatives, negated)


def _condition(name: str, kind: str, modifier: str, text: str, defined: SearchDefinition, base_url: str) -> Condition:
    match kind:
        case "reference" if not modifier or _TYPE_NAME.fullmatch(modifier):
            return _reference(text, modifier or _only(defined.targets), base_url)
        case "string" if modifier in _TEXT_MATCHES:
            return Text(fold(_unescaped(text)), _TEXT_MATCHES[modifier])
        case "token" | "identifier" if not modifier:
            return _token(text)
        case "date" if not modifier:
            return _range(name, text)
        case "uri" if not modifier:
            return Uri(_unescaped(text))
    if modifier:
        raise InvalidResource(f"The modifier of the search parameter {name} is not supported")
    raise InvalidResource(f"Search parameters of type {defined.type} are not supported: {name}")


def _token(text: str) -> Token:
    system, bar, code = _split(text, "|")
    if not bar:
        return Token(None, _unescaped(text))
    return Token(_unescaped(system), _unescaped(code) or None)


def _split(text: str, separator: str) -> tuple[str, str, str]:
    """Like str.partition, at the first separator that is not escaped."""
    match = re.search(rf"(?<!\\)(?:\\\\)*({re.escape(separator)})", text)
    return (text[: match.start(1)], separator, text[match.end(1) :]) if match else (text, "", "")


def _reference(text: str, type: str, base_url: str) -> Reference:
    text = relative(_unescaped(text), base_url)
    if type and "/" not in text:
        return Reference(f"{type}/{text}")
    return Reference(text, bare="/" not in text)


def _only(targets: frozenset[str]) -> str:
    return next(iter(targets)) if len(targets) == 1 else ""


def _range(name: str, text: str) -> Range:
    try:
        prefix, low, high = parse_date_query(text)
    except ValueError as error:
        raise InvalidResource(f"{text!r} is not a date for the search parameter {name}") from error
    return Range(prefix, low or LOWEST, high or HIGHEST)


def _alternatives(value: str) -> Sequence[str]:
    found = []
    while value:
        part, _, value = _split(value, ",")
        if part:
            found.append(part)
    return found


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


def _boolean(name: str, value: str) -> bool:
    if value not in ("true", "false"):
        raise InvalidResource(f"{name} is either true or false, not {value!r}")
    return value == "true"


def _count(value: str | None) -> int | None:
    if value is None:
        return None
    if not value.isascii() or not value.isdigit():
        raise InvalidResource(f"_count is a number of resources, not {value!r}")
    return int(value[:9])


def _sort(value: str) -> Sort:
    wanted = value.split(",")
    for name in wanted:
        if name not in _SORTS:
            raise InvalidResource(f"_sort by {name!r} is not supported: one of {', '.join(_SORTS)}")
    return _SORTS[wanted[0]]


def _one_of(control: dict[str, str], name: str, values: Sequence[str]) -> str | None:
    value = control.get(name)
    if value is not None and value not in values:
        raise InvalidResource(f"{name}={value} is not supported: one of {', '.join(values)}")
    return value

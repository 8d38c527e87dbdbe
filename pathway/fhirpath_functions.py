"""FHIRPath functions in place of the engine's: kept inside the budget, or put right (https://hl7.org/fhirpath/N1/).

Put right, as they decide about patients: `where()` kept an element whose criteria were an element that is false, and
looked at each twice (so a nested one 2^depth times); what followed it took its last element for `$this`; `single()`
answered with an error object; `round()` rounded 0.5 to 0 and took 54 s for `1.5.round(999999)`; `is`, `as` and
`ofType()` did not know the type of a resource that is a variable.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, cast

from fhirpathpy.engine.invocations import invocation_registry
from fhirpathpy.engine.nodes import ResourceNode
from fhirpathpy.engine.util import get_data, is_number

from pathway.budget import Metered

REGISTRY = cast(Mapping[str, Mapping[str, Any]], invocation_registry)
_Criteria = Callable[[Any], list[Any]]


def _each(state: Metered, data: list[Any]) -> Iterator[Any]:
    """Every item with its `$index`; `$this` is afterwards what it was before."""
    outer = state["$this"]
    for number, item in enumerate(data):
        state["$index"] = number
        yield item
    state["$this"] = outer


def _where(state: Metered, data: list[Any], criteria: _Criteria) -> list[Any]:
    kept = []
    for item in _each(state, data):
        found = criteria(item)
        if found and get_data(found[0]):
            kept.append(item)
    return kept


def _exists(state: Metered, data: list[Any], criteria: _Criteria | None = None) -> bool:
    return bool(_where(state, data, criteria) if criteria else data)


def _select(state: Metered, data: list[Any], projection: _Criteria) -> list[Any]:
    found: list[Any] = []
    for item in _each(state, data):
        found += projection(item)
        state.bound(found)
    return found


def _single(_state: Metered, data: list[Any]) -> list[Any]:
    if len(data) > 1:
        raise ValueError("Expected singleton")
    return data


def _round(_state: Metered, data: list[Any], places: int = 0) -> list[Decimal]:
    numbers = [get_data(value) for value in data]
    if len(numbers) > 1 or not all(is_number(number) for number in numbers):
        raise ValueError("Expected number")
    return [Decimal(number).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) for number in numbers]


def _join(state: Metered, data: list[Any], separator: str = "") -> list[str]:
    texts = [get_data(value) for value in data]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("Expected string")
    state.letters_bound(sum(len(text) + len(separator) for text in texts))
    return [separator.join(texts)] if texts else []


def _replace(state: Metered, data: list[Any], old: str, new: str) -> Any:
    text = get_data(data[0])
    if isinstance(text, str) and isinstance(old, str):
        state.letters_bound(len(text) + text.count(old) * len(new))
    return REGISTRY["replace"]["fn"](state, data, old, new)


def _bounded(name: str) -> Callable[..., Any]:
    """For what makes more than it was given."""
    function = REGISTRY[name]["fn"]

    def call(state: Metered, *given: Any) -> Any:
        result = function(state, *given)
        state.bound(result)
        return result

    return call


def _pairwise(name: str) -> Callable[..., Any]:
    """For what compares each value with each."""
    function = REGISTRY[name]["fn"]

    def call(state: Metered, data: list[Any], other: list[Any]) -> Any:
        state.items_bound(len(data) * len(other))
        return function(state, data, other)

    return call


def _typed(name: str) -> Callable[..., Any]:
    function = REGISTRY[name]["fn"]

    def call(state: Metered, data: list[Any], wanted: Any) -> Any:
        return function(state, [_node(value) for value in data], wanted)

    return call


def _node(value: Any) -> Any:
    return ResourceNode(value, None) if isinstance(value, Mapping) and "resourceType" in value else value


_CALLS: Mapping[str, Callable[..., Any]] = {
    "where": _where,
    "exists": _exists,
    "select": _select,
    "single": _single,
    "round": _round,
    "join": _join,
    "replace": _replace,
    **{name: _typed(name) for name in ("is", "as", "isOp", "asOp", "ofType")},
    **{name: _pairwise(name) for name in ("exclude", "intersect", "subsetOf", "supersetOf")},
    **{
        name: _bounded(name)
        for name in ("|", "union", "combine", "repeat", "split", "toChars", "&", "+", "*", "power", "exp")
    },
}
FUNCTIONS = {name: {**REGISTRY[name], "fn": call} for name, call in _CALLS.items()}
FUNCTIONS["round"]["arity"] = {0: [], 1: ["Integer"]}

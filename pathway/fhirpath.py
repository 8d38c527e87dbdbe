"""The FHIRPath engine (fhirpathpy): parsed once, kept inside a budget, corrected where it departs from the standard.

Corrected, as it decides about patients (https://hl7.org/fhirpath/N1/): `where(false)` kept an element whose value is
false, and looked at each twice (so a nested one 2^depth times); what followed it took its last element for `$this`;
`single()` answered with an error object; `is`, `as` and `ofType()` did not know a variable's resource type.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any, cast

from antlr4 import CommonTokenStream, InputStream
from antlr4.error.ErrorListener import ErrorListener
from antlr4.tree.Tree import ParseTreeWalker
from fhirpathpy.engine import do_eval
from fhirpathpy.engine.invocations import invocation_registry
from fhirpathpy.engine.nodes import FP_Quantity, FP_Type, ResourceNode, TypeInfo
from fhirpathpy.engine.util import get_data
from fhirpathpy.models import models
from fhirpathpy.parser.ASTPathListener import ASTPathListener
from fhirpathpy.parser.generated.FHIRPathLexer import FHIRPathLexer
from fhirpathpy.parser.generated.FHIRPathParser import FHIRPathParser

from pathway.budget import Budget, Metered
from pathway.errors import InvalidDefinition

Node = Mapping[str, Any]
_Criteria = Callable[[Any], list[Any]]
_R4: dict[str, Any] = models["r4"]
_REGISTRY = cast(Mapping[str, Mapping[str, Any]], invocation_registry)
TypeInfo.model = cast(
    Any, _R4
)  # else the engine sets it at the first `is`, and ofType() answers differently before and after
_RESOURCES = ("Resource", "DomainResource")


class _Raising(ErrorListener):  # type: ignore[misc]
    def syntaxError(self, *where: Any) -> None:  # noqa: N802 - the name and arguments are ANTLR's
        _recognizer, _symbol, _line, column, message, _error = where
        raise InvalidDefinition(f"column {column + 1}: {message}")


@lru_cache(maxsize=4096)
def parsed(expression: str) -> Node:
    """The expression's syntax tree. Raises InvalidDefinition with the column and what is wrong."""
    lexer = FHIRPathLexer(InputStream(expression))
    parser = FHIRPathParser(CommonTokenStream(lexer))
    for part in (lexer, parser):
        part.removeErrorListeners()
        part.addErrorListener(_Raising())
    listener = ASTPathListener()
    try:
        ParseTreeWalker().walk(listener, parser.entireExpression())
    except RecursionError:
        raise InvalidDefinition("it is nested too deeply") from None
    entire: Node = listener.parentStack[0]["children"][0]
    return cast(Node, entire["children"][0])


def functions(node: Node) -> Iterator[tuple[str, int]]:
    """Every function that a syntax tree calls, with its number of arguments."""
    children = node.get("children", ())
    if node["type"] == "Functn":
        yield children[0]["text"], len(children[1]["children"]) if len(children) > 1 else 0
    for child in children:
        yield from functions(child)


def arguments(function: str) -> Collection[int] | None:
    """The numbers of arguments that a function takes; None when there is no such function."""
    known = _REGISTRY.get(function)
    if known is None:
        return None
    return range(100) if "variadic" in known else tuple(known.get("arity", (0,)))


def resource_types(node: Node) -> Iterator[str]:
    """The resource types that a syntax tree asks for: `ofType(X)`, `is X`, `resourceType = 'X'`."""
    for name in _types(node):
        if name not in _RESOURCES and _R4["type2Parent"].get(name) in _RESOURCES:
            yield name


def _types(node: Node) -> Iterator[str]:
    children = node.get("children", ())
    texts = [str(child.get("text", "")) for child in children]
    if node["type"] == "TypeSpecifier":
        yield str(node["text"]).removeprefix("FHIR.")
    elif node["type"] == "Functn" and texts[0] in ("ofType", "is") and len(children) > 1:
        yield str(children[1]["children"][0].get("text", "")).removeprefix("FHIR.")
    elif node["terminalNodeText"] == ["="] and any(text.split(".")[-1] == "resourceType" for text in texts):
        yield from (text.strip("'") for text in texts)
    for child in children:
        yield from _types(child)


def type_of(value: Any) -> str:
    """The FHIR type of a plain value, as far as it shows: `Patient`, `boolean`, `object`."""
    resource_type = value.get("resourceType") if isinstance(value, Mapping) else None
    return str(resource_type or TypeInfo.create_by_value_in_namespace(TypeInfo.FHIR, value).name)


def run(node: Node, context: Any, variables: Mapping[str, Any], budget: Budget) -> list[Any]:
    """The values as plain JSON (decimals as Decimal). Raises OverBudget, and whatever the engine raises."""
    root = context if isinstance(context, list) else [context]
    state = {
        "dataRoot": root,
        "$this": root,
        "vars": {"context": context, "ucum": "http://unitsofmeasure.org", **variables},
        "model": _R4,
        "userInvocationTable": _FUNCTIONS,
    }
    found = [_plain(value) for value in do_eval(Metered(state, budget), root, node)]
    # The engine's own form of an element that has an extension and no value.
    return [value for value in found if not (isinstance(value, dict) and list(value) == ["extension"])]


def _plain(value: Any) -> Any:
    value = get_data(value)
    if isinstance(value, FP_Quantity):
        return {"value": value.value, "unit": str(value.unit).strip("'")}
    if isinstance(value, FP_Type):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


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


def _bounded(name: str) -> Callable[..., Any]:
    function = _REGISTRY[name]["fn"]

    def call(state: Metered, *given: Any) -> Any:
        result = function(state, *given)
        state.bound(result)
        return result

    return call


def _typed(name: str) -> Callable[..., Any]:
    function = _REGISTRY[name]["fn"]

    def call(state: Metered, data: list[Any], wanted: Any) -> Any:
        return function(state, [_node(value) for value in data], wanted)

    return call


def _node(value: Any) -> Any:
    return ResourceNode(value, None) if isinstance(value, Mapping) and "resourceType" in value else value


# What makes more than it was given, within one look at the state.
_GROWING = ("|", "union", "combine", "repeat", "split", "toChars", "&", "+", "*")
_CALLS: Mapping[str, Callable[..., Any]] = {
    **{name: _bounded(name) for name in _GROWING},
    **{name: _typed(name) for name in ("is", "as", "isOp", "asOp", "ofType")},
    **{"where": _where, "exists": _exists, "select": _select, "single": _single},
}
_FUNCTIONS = {name: {**_REGISTRY[name], "fn": call} for name, call in _CALLS.items()}

"""The FHIRPath engine (fhirpathpy): an expression's syntax tree, and its values within a budget."""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any, cast

from antlr4 import CommonTokenStream, InputStream
from antlr4.error.ErrorListener import ErrorListener
from antlr4.tree.Tree import ParseTreeWalker
from fhirpathpy.engine import do_eval
from fhirpathpy.engine.nodes import FP_Quantity, FP_Type, TypeInfo
from fhirpathpy.engine.util import get_data
from fhirpathpy.models import models
from fhirpathpy.parser.ASTPathListener import ASTPathListener
from fhirpathpy.parser.generated.FHIRPathLexer import FHIRPathLexer
from fhirpathpy.parser.generated.FHIRPathParser import FHIRPathParser

from pathway.budget import Budget, Metered
from pathway.codes import UCUM
from pathway.errors import InvalidDefinition
from pathway.fhirpath_functions import FUNCTIONS, REGISTRY

Node = Mapping[str, Any]
_R4: dict[str, Any] = models["r4"]
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
    known = FUNCTIONS.get(function) or REGISTRY.get(function)
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
        "vars": {"context": context, "ucum": UCUM, **variables},
        "model": _R4,
        "userInvocationTable": FUNCTIONS,
    }
    found = [_plain(value) for value in do_eval(Metered(state, budget), root, node)]
    # The engine's own form of an element that has an extension and no value.
    return [value for value in found if not (isinstance(value, dict) and list(value) == ["extension"])]


def _plain(value: Any) -> Any:
    value = get_data(value)
    if isinstance(value, FP_Quantity):
        unit = str(value.unit)
        code = FP_Quantity.timeUnitsToUCUM.get(unit, unit).strip("'")
        return {"value": value.value, "unit": unit.strip("'"), "system": UCUM, "code": code}
    if isinstance(value, FP_Type):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value

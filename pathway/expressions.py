"""FHIRPath: checked when a definition is loaded, compiled once, evaluated without surprises.

Dates and quantities are computed in `timing`, never here, and what can hang or read the clock is refused:
`matches()`, `replaceMatches()`, `now()`, `today()`, `timeOfDay()` (https://hl7.org/fhirpath/N1/).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from antlr4 import CommonTokenStream, InputStream
from antlr4.error.ErrorListener import ErrorListener
from fhirpathpy import compile as compile_fhirpath
from fhirpathpy.models import models
from fhirpathpy.parser.generated.FHIRPathLexer import FHIRPathLexer
from fhirpathpy.parser.generated.FHIRPathParser import FHIRPathParser

from pathway.errors import InvalidDefinition, PathwayError

FHIRPATH = "text/fhirpath"
_REFUSED = re.compile(r"\b(matches|replaceMatches|now|today|timeOfDay|trace)\s*\(")
_NAME = re.compile(r"%[`']?(\w*)")
_STRING_OR_COMMENT = re.compile(r"('(?:\\.|[^'\\])*')|/\*.*?\*/|//[^\r\n]*", re.DOTALL)
_STANDARD_NAMES = {"resource", "context", "rootResource", "ucum", "sct", "loinc"}
MAX_LENGTH = 2000


class ExpressionFailed(PathwayError):
    """An expression could not be evaluated."""

    code = "processing"


class _Raising(ErrorListener):  # type: ignore[misc]
    def syntaxError(self, *where: Any) -> None:  # noqa: N802 - the name and arguments are ANTLR's
        _recognizer, _symbol, _line, column, message, _error = where
        raise InvalidDefinition(f"column {column + 1}: {message}")


def check(expression: str, names: Collection[str]) -> None:
    """Refuse an expression that does not parse, names an unknown `%variable`, or could hang or read the clock.

    Raises InvalidDefinition with the expression and the reason.
    """
    bare = _STRING_OR_COMMENT.sub(lambda found: "''" if found[1] else " ", expression)
    if len(expression) > MAX_LENGTH:
        raise InvalidDefinition(f"The expression is longer than {MAX_LENGTH} characters: {expression[:60]}…")
    if refused := _REFUSED.search(bare):
        raise InvalidDefinition(f"{refused[1]}() is not allowed in a pathway expression: {expression}")
    for name in _NAME.findall(bare):
        if name not in names and name not in _STANDARD_NAMES:
            raise InvalidDefinition(f"%{name} is not known here: {expression}")
    try:
        _parse(expression)
    except InvalidDefinition as error:
        raise InvalidDefinition(f"The expression is not FHIRPath ({error}): {expression}") from error
    _compiled(expression)


def _parse(expression: str) -> None:
    lexer = FHIRPathLexer(InputStream(expression))
    parser = FHIRPathParser(CommonTokenStream(lexer))
    for part in (lexer, parser):
        part.removeErrorListeners()
        part.addErrorListener(_Raising())
    parser.entireExpression()  # type: ignore[no-untyped-call]


@lru_cache(maxsize=4096)
def _compiled(expression: str) -> Callable[[Any, Mapping[str, Any]], list[Any]]:
    compiled: Callable[[Any, Mapping[str, Any]], list[Any]] = compile_fhirpath(expression, models["r4"])
    return compiled


def evaluate(expression: str, context: Any, variables: Mapping[str, Any]) -> list[Any]:
    """The expression's values as a list. Raises ExpressionFailed, naming the expression."""
    try:
        return list(_compiled(expression)(context, dict(variables)))
    except Exception as error:
        raise ExpressionFailed(f"{expression} could not be evaluated: {error}") from error


def holds(expression: str, context: Any, variables: Mapping[str, Any]) -> bool | None:
    """A condition: True, False, or None when the data it asks for is missing (an empty result).

    Raises ExpressionFailed when the result is neither empty nor a single boolean.
    """
    values = evaluate(expression, context, variables)
    if not values:
        return None
    if len(values) == 1 and isinstance(values[0], bool):
        return values[0]
    raise ExpressionFailed(f"{expression} gave {len(values)} value(s) that are not one boolean")


@dataclass(frozen=True)
class Evaluation:
    """One expression looked at: what it gave and what it read."""

    expression: str
    outcome: Literal["true", "false", "missing", "value", "failed"]
    value: tuple[Any, ...] = ()
    read: tuple[tuple[str, tuple[str, ...]], ...] = ()
    message: str = ""


def look(expression: str, context: Any, variables: Mapping[str, Any]) -> Evaluation:
    """The outcome of an expression; a failure is one."""
    try:
        v = evaluate(expression, context, variables)
    except ExpressionFailed as error:
        return Evaluation(expression, "failed", message=str(error))
    if not v:
        return Evaluation(expression, "missing")
    if len(v) == 1 and isinstance(v[0], bool):
        return Evaluation(expression, "true" if v[0] else "false", tuple(v))
    return Evaluation(expression, "value", tuple(v))

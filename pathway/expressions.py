"""FHIRPath: checked when a definition is loaded, parsed once, evaluated within a budget, and explained.

Dates and quantities are computed in `timing`, never here. Refused is what reads the clock, and what one call of the
engine could spend minutes in, out of reach of the budget (https://hl7.org/fhirpath/N1/).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from pathway.budget import Budget, OverBudget
from pathway.errors import InvalidDefinition, PathwayError
from pathway.fhirpath import arguments, functions, parsed, resource_types, run, type_of
from pathway.ports import Resource
from pathway.references import reference_to

FHIRPATH = "text/fhirpath"
MAX_LENGTH = 2000
BUDGET = Budget()
_REFUSED = {"now", "today", "timeOfDay", "trace", "matches", "replaceMatches", "children", "descendants"}
_NAME = re.compile(r"%[`']?(\w*)")
_STRING_OR_COMMENT = re.compile(r"('(?:\\.|[^'\\])*')|/\*.*?\*/|//[^\r\n]*", re.DOTALL)
_STANDARD_NAMES = {"resource", "context", "rootResource", "ucum", "sct", "loinc"}
_TRUTH = {"true": True, "false": False, "missing": None}
# The engine's messages quote the values, which are the patient's: only what kind of mistake it was is passed on.
_MISTAKES = (
    (r"Type of .* did not match", "values of different types are compared"),
    (r"Cannot ", "values are added or subtracted that do not go together"),
    (r"Expected string", "a text was expected"),
    (r"Expected (list with )?number|Unary", "a number was expected"),
    (r"Expected boolean", "true or false was expected"),
    (r"Expected integer|invalid literal for int", "a whole number was expected"),
    (
        r"Unexpected collection|Was expecting no more than one|Expected singleton|.*not JSON serializable",
        "several values, or one of another type, came where a single one was expected",
    ),
    (r"Attempting to access an undefined .*: (\w+)", r"%\1 is not known here"),
)


class ExpressionFailed(PathwayError):
    """An expression could not be evaluated."""

    code = "processing"


@dataclass(frozen=True)
class Evaluation:
    """One expression looked at: what it gave and what it read.

    `value` is plain JSON, () when there is none. `read` has, for each %name that is bound to resources, the references
    to them (`Type/id/_history/version` where the version is known), () when nothing is there; of `%data` those of the
    types that the expression names, else how many there are. `message` says why it failed.
    """

    expression: str
    outcome: Literal["true", "false", "missing", "value", "failed"]
    value: tuple[Any, ...]
    read: tuple[tuple[str, tuple[str, ...]], ...]
    message: str = ""

    @property
    def holds(self) -> bool | None:
        """The expression as a condition. Raises ExpressionFailed as `holds` does."""
        if self.outcome == "failed":
            raise ExpressionFailed(self.message)
        return _one_boolean(self.expression, self.value)


def check(expression: str, names: Collection[str]) -> None:
    """Refuse an expression that does not parse, names an unknown `%variable` or function, could hang or read the clock.

    Raises InvalidDefinition with the expression and the reason.
    """
    if len(expression) > MAX_LENGTH:
        raise InvalidDefinition(f"The expression is longer than {MAX_LENGTH} characters: {expression[:60]}…")
    for name in names_in(expression):
        if name not in names and name not in _STANDARD_NAMES:
            raise InvalidDefinition(f"%{name} is not known here: {expression}")
    try:
        tree = parsed(expression)
    except InvalidDefinition as error:
        raise InvalidDefinition(f"The expression is not FHIRPath ({error}): {expression}") from error
    for function, given in functions(tree):
        if function in _REFUSED:
            raise InvalidDefinition(f"{function}() is not allowed in a pathway expression: {expression}")
        accepted = arguments(function)
        if accepted is None:
            raise InvalidDefinition(f"There is no function {function}(): {expression}")
        if given not in accepted:
            raise InvalidDefinition(f"{function}() does not take {given} argument(s): {expression}")


@lru_cache(maxsize=4096)
def names_in(expression: str) -> tuple[str, ...]:
    """The `%variables` an expression names, without the percent sign, in order and once each."""
    return tuple(
        dict.fromkeys(_NAME.findall(_STRING_OR_COMMENT.sub(lambda found: "''" if found[1] else " ", expression)))
    )


def evaluate(expression: str, context: Any, variables: Mapping[str, Any], budget: Budget = BUDGET) -> list[Any]:
    """The expression's values as plain JSON. Raises ExpressionFailed, naming the expression and no patient's value."""
    try:
        return run(parsed(expression), context, variables, budget)
    except OverBudget as stopped:
        raise ExpressionFailed(f"{expression} {stopped}") from stopped
    except InvalidDefinition as error:
        raise ExpressionFailed(f"{expression} is not FHIRPath ({error})") from error
    except Exception as error:
        raise ExpressionFailed(f"{expression} could not be evaluated: {_mistake(error)}") from error


def holds(expression: str, context: Any, variables: Mapping[str, Any], budget: Budget = BUDGET) -> bool | None:
    """A condition: True, False, or None when the data it asks for is missing (an empty result).

    Raises ExpressionFailed when the result is neither empty nor a single boolean.
    """
    return _one_boolean(expression, evaluate(expression, context, variables, budget))


def look(expression: str, context: Any, variables: Mapping[str, Any], budget: Budget = BUDGET) -> Evaluation:
    """What `evaluate` gives, with what was read for it; a failure is an outcome, never an error."""
    read = tuple(_read(expression, {"context": context, **variables}))
    try:
        value = tuple(evaluate(expression, context, variables, budget))
    except ExpressionFailed as failure:
        return Evaluation(expression, "failed", (), read, str(failure))
    return Evaluation(expression, _outcome(value), value, read)


@dataclass(frozen=True)
class Looks:
    """Looks at expressions, each repeated only when something that it names is not what it was at the last one."""

    _last: dict[tuple[str, str], tuple[list[Any], Evaluation]] = field(default_factory=dict)

    def look(self, expression: str, occurrence: str, context: Any, variables: Mapping[str, Any]) -> Evaluation:
        """`look`, in one occurrence."""
        named = [context, *(variables.get(name) for name in names_in(expression))]
        last = self._last.get((expression, occurrence))
        if last is None or last[0] != named:
            last = named, look(expression, context, variables)
            self._last[expression, occurrence] = last
        return last[1]


def _outcome(value: Sequence[Any]) -> Literal["true", "false", "missing", "value"]:
    if not value:
        return "missing"
    if len(value) == 1 and isinstance(value[0], bool):
        return "true" if value[0] else "false"
    return "value"


def _one_boolean(expression: str, values: Sequence[Any]) -> bool | None:
    outcome = _outcome(values)
    if outcome != "value":
        return _TRUTH[outcome]
    count = "1 value" if len(values) == 1 else f"{len(values)} values"
    types = ", ".join(sorted({type_of(value) for value in values}))
    raise ExpressionFailed(f"{expression} gave {count} ({types}); a condition gives true, false or nothing")


def _mistake(error: Exception) -> str:
    for pattern, meaning in _MISTAKES:
        if found := re.match(pattern, str(error), re.DOTALL):
            return found.expand(meaning)
    return type(error).__name__


def _read(expression: str, variables: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in names_in(expression):
        if name == "parameters" or name not in variables:
            continue
        given = variables[name]
        values = given if isinstance(given, list) else [] if given is None else [given]
        resources = [value for value in values if isinstance(value, dict) and "resourceType" in value]
        types = _types_in(expression) if name == "data" else frozenset()
        if name == "data" and resources and not types:
            yield name, (f"{len(resources)} resources",)
        elif resources or not values:
            yield name, tuple(_versioned(r) for r in resources if not types or r["resourceType"] in types)


@lru_cache(maxsize=4096)
def _types_in(expression: str) -> frozenset[str]:
    try:
        return frozenset(resource_types(parsed(expression)))
    except InvalidDefinition:
        return frozenset()


def _versioned(resource: Resource) -> str:
    if "id" not in resource:
        return str(resource["resourceType"])
    version = resource.get("meta", {}).get("versionId")
    return f"{reference_to(resource)}/_history/{version}" if version else reference_to(resource)

"""What a site may decide about the pathway's own rules: each tension of the content as a parameter with a default.

The defaults, the values that are allowed and what is built in are data (CodeSystem `pathway-parameter`). Expressions
name them as `%parameters.<name>`; where a number or a text of a plan depends on one, the element carries the extension
`cqf-expression` beside the content's own value (content specification A18: configurable, visible, recorded).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pathway.codes import PARAMETERS
from pathway.concepts import concepts_of, value_of, values_of
from pathway.elements import parameters_named, parts
from pathway.errors import InvalidDefinition
from pathway.expressions import evaluate
from pathway.library import Library
from pathway.ports import Resource

Value = bool | int | Decimal | str

CQF_EXPRESSION = "http://hl7.org/fhir/StructureDefinition/cqf-expression"
_TYPES: Mapping[str, tuple[tuple[type, ...], str]] = {
    "valueBoolean": ((bool,), "true or false"),
    "valueInteger": ((int,), "a whole number"),
    "valueDecimal": ((Decimal, int), "a number"),
    "valueString": ((str,), "text"),
}
# Elements of an action that never depend on a parameter by `cqf-expression`: they are expressions or are told as is.
_AS_WRITTEN = frozenset({"condition", "dynamicValue", "trigger", "documentation", "participant", "extension"})


@dataclass(frozen=True)
class _Declared:
    """A concept of the CodeSystem. `kind`: the name of its value[x]; `lowest` and `highest`: of a text its length."""

    name: str
    definition: str
    kind: str
    default: Value
    built_in: bool
    allowed: tuple[Value, ...]
    lowest: Decimal | None
    highest: Decimal | None
    not_after: str | None


def defaults(library: Library) -> Mapping[str, Value]:
    """Every parameter with its default, by name; empty when the library has no parameters."""
    return {one.name: one.default for one in _declared(library)}


def effective(library: Library, overrides: Mapping[str, Value]) -> Mapping[str, Value]:
    """The defaults with a site's own values in their place.

    Raises InvalidDefinition for a name that no parameter has, for a value that the parameter cannot have, for two that
    contradict each other, and for a decision that is built in: a change that changed nothing would deceive.
    """
    declared = {one.name: one for one in _declared(library)}
    for name, value in overrides.items():
        if name not in declared:
            raise InvalidDefinition(f"There is no pathway parameter '{name}'; there are {', '.join(sorted(declared))}.")
        _check(declared[name], value)
    values = {**{name: one.default for name, one in declared.items()}, **overrides}
    for name, one in declared.items():
        if one.not_after and Decimal(values[name]) > Decimal(values[one.not_after]):
            raise InvalidDefinition(
                f"The pathway parameter '{name}' is {values[name]}: it cannot come after '{one.not_after}', "
                f"which is {values[one.not_after]}."
            )
    return values


def named_by(action: Resource) -> set[str]:
    """The parameters that anything of an action names: conditions, dynamic values, offsets; not its inner actions."""
    own = {name: value for name, value in action.items() if name != "action"}
    said = [part.get("expression") for _, part in parts(own, "action")]
    return {name for expression in said if isinstance(expression, str) for name in parameters_named(expression)}


def resolved(plan: Resource, values: Mapping[str, Value]) -> Resource:
    """A PlanDefinition with the values that a `cqf-expression` computes from the parameters in its actions and goals.

    What an expression gives takes the place of the content's own value; the extension stays, for `named_by`.
    Raises InvalidDefinition when it does not give one value (https://hl7.org/fhir/R4/extension-cqf-expression.html).
    """
    if not values:
        return plan
    return {**plan, **{name: computed(plan[name], values) for name in ("goal", "action") if name in plan}}


def computed(part: Any, values: Mapping[str, Value]) -> Any:
    """A part of a definition with what each `cqf-expression` in it gives in place of the content's own value."""
    if isinstance(part, list):
        return [computed(one, values) for one in part]
    if not isinstance(part, dict):
        return part
    made = {name: inner if name in _AS_WRITTEN else computed(inner, values) for name, inner in part.items()}
    for name, inner in part.items():
        for extension in inner.get("extension", ()) if name.startswith("_") else ():
            if extension["url"] == CQF_EXPRESSION:
                made[name.removeprefix("_")] = _value(extension["valueExpression"]["expression"], values)
    return made


def _value(expression: str, values: Mapping[str, Value]) -> Any:
    found = evaluate(expression, {}, {"parameters": values})
    if len(found) != 1 or found[0] is None:
        raise InvalidDefinition(f"{expression} gives no single value from the pathway parameters.")
    return found[0]


def _check(one: _Declared, value: Value) -> None:
    types, words = _TYPES[one.kind]
    if one.built_in and value != one.default:
        raise InvalidDefinition(
            f"The pathway parameter '{one.name}' states a built-in decision; no site can change it. {one.definition}"
        )
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise InvalidDefinition(f"The pathway parameter '{one.name}' takes {words}, not {value!r}.")
    if one.allowed and value not in one.allowed:
        choices = " or ".join(repr(choice) for choice in one.allowed)
        raise InvalidDefinition(f"The pathway parameter '{one.name}' takes {choices}, not {value!r}.")
    if one.lowest is None or one.highest is None:
        return
    size = len(value.strip()) if isinstance(value, str) else value
    if not one.lowest <= size <= one.highest:
        unit = " characters" if isinstance(value, str) else ""
        raise InvalidDefinition(
            f"The pathway parameter '{one.name}' takes {words} from {one.lowest} to {one.highest}{unit}, not {value!r}."
        )


@lru_cache(maxsize=64)
def _declared(library: Library) -> Sequence[_Declared]:
    return [_read(concept) for concept in concepts_of(library, PARAMETERS)]


def _read(concept: Resource) -> _Declared:
    kind, default = _default(concept)
    return _Declared(
        name=concept["code"],
        definition=str(concept.get("definition", "")),
        kind=kind,
        default=default,
        built_in=value_of(concept, "built-in") is True,
        allowed=tuple(values_of(concept, "allowed")),
        lowest=value_of(concept, "min"),
        highest=value_of(concept, "max"),
        not_after=value_of(concept, "not-after"),
    )


def _default(concept: Resource) -> tuple[str, Value]:
    for property in concept.get("property", []):
        if property["code"] == "default":
            return next((name, value) for name, value in property.items() if name.startswith("value"))
    raise InvalidDefinition(f"The pathway parameter '{concept['code']}' has no default.")

"""What a site may decide about the pathway's own rules: each tension of the content as a parameter with a default.

The defaults are data (CodeSystem `pathway-parameter`); plans name them as `%parameters.<name>`, and an explanation says
which values it rests on (content specification A18: configurable, visible, recorded, never silent).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from pathway.codes import PARAMETERS
from pathway.errors import InvalidDefinition
from pathway.library import Library
from pathway.ports import Resource

Value = bool | int | Decimal | str

_TYPES: Mapping[str, tuple[tuple[type, ...], str]] = {
    "valueBoolean": ((bool,), "true or false"),
    "valueInteger": ((int,), "a whole number"),
    "valueDecimal": ((Decimal, int), "a number"),
    "valueString": ((str,), "text"),
}


def defaults(library: Library) -> Mapping[str, Value]:
    """Every parameter with its default, by name; empty when the library has no parameters."""
    return {name: declared[1] for name, declared in _declared(library).items()}


def effective(library: Library, overrides: Mapping[str, Value]) -> Mapping[str, Value]:
    """The defaults with a site's own values in their place.

    Raises InvalidDefinition for a name that no parameter has, for a value of another type than the default's, and for
    a decision that is built in: a change that changed nothing would deceive.
    """
    declared, built_in = _declared(library), _built_in(library)
    for name, value in overrides.items():
        if name not in declared:
            raise InvalidDefinition(f"There is no pathway parameter '{name}'; there are {', '.join(sorted(declared))}.")
        types, words = _TYPES[declared[name][0]]
        if name in built_in and value != declared[name][1]:
            raise InvalidDefinition(
                f"The pathway parameter '{name}' states a built-in decision; no site can change it."
            )
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise InvalidDefinition(f"The pathway parameter '{name}' takes {words}, not {value!r}.")
    return {**defaults(library), **overrides}


def _concepts(library: Library) -> Sequence[Resource]:
    found: Sequence[Resource] = (library.find_code_system(PARAMETERS) or {}).get("concept", [])
    return found


def _declared(library: Library) -> Mapping[str, tuple[str, Value]]:
    return {concept["code"]: _default(concept) for concept in _concepts(library)}


def _built_in(library: Library) -> frozenset[str]:
    return frozenset(c["code"] for c in _concepts(library) if any(p["code"] == "built-in" for p in c["property"]))


def _default(concept: Resource) -> tuple[str, Value]:
    for property in concept.get("property", []):
        if property["code"] == "default":
            return next((name, value) for name, value in property.items() if name.startswith("value"))
    raise InvalidDefinition(f"The pathway parameter '{concept['code']}' has no default.")

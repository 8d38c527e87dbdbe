"""The concepts of our CodeSystems and their properties."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pathway.library import Library
from pathway.ports import Resource


def concepts_of(library: Library, url: str) -> Sequence[Resource]:
    """The concepts of a CodeSystem; none when the library does not have it."""
    found: Sequence[Resource] = (library.find_code_system(url) or {}).get("concept", [])
    return found


def values_of(concept: Resource, property: str) -> list[Any]:
    """The values of a property of a concept, in their order."""
    found = [p for p in concept.get("property", []) if p["code"] == property]
    return [value for p in found for name, value in p.items() if name.startswith("value")]


def value_of(concept: Resource, property: str) -> Any:
    """The first value of a property; None when the concept does not have it."""
    return next(iter(values_of(concept, property)), None)

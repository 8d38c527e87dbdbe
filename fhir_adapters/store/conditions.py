"""What one alternative of a search parameter asks of a resource's search values, and whether a value meets it.

The SQL search says the same in SQL (`sql_search.py`); the contract test runs over both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fhir_adapters.store.indexing import Indexed

TextMatch = Literal["starts", "exact", "contains"]


@dataclass(frozen=True)
class Token:
    """`system` None: any, empty: none; `value` None: any code of the system."""

    system: str | None
    value: str | None


@dataclass(frozen=True)
class Reference:
    """`Type/id` or an absolute URL; `bare` is an id of any type."""

    value: str
    bare: bool = False


@dataclass(frozen=True)
class Range:
    """A comparison with [low, high), both UTC text (https://hl7.org/fhir/R4/search.html#prefix)."""

    prefix: str
    low: str
    high: str


@dataclass(frozen=True)
class Text:
    """`value` is folded as the search values are."""

    value: str
    how: TextMatch


@dataclass(frozen=True)
class Uri:
    value: str


Condition = Token | Reference | Range | Text | Uri


def meets(found: Indexed, condition: Condition) -> bool:
    """Whether one search value is what the condition asks for."""
    value = found.value
    match condition:
        case Token(system, code):
            return system in (None, found.system) and code in (None, value)
        case Reference(wanted, bare):
            return wanted == (found.system if bare else value)
        case Range():
            return in_range(found.low, found.high, condition)
        case Text(text, "starts"):
            return value.startswith(text)
        case Text(text, "contains"):
            return text in value
        case Text(text) | Uri(text):
            return value == text


def in_range(starts: str, ends: str, wanted: Range) -> bool:
    """Compares [starts, ends) with the wanted range."""
    results = {
        "eq": starts >= wanted.low and ends <= wanted.high,
        "ne": starts < wanted.low or ends > wanted.high,
        "gt": ends > wanted.high,
        "lt": starts < wanted.low,
        "ge": ends > wanted.low,
        "le": starts < wanted.high,
        "sa": starts >= wanted.high,
        "eb": ends <= wanted.low,
        "ap": starts < wanted.high and ends > wanted.low,
    }
    return results[wanted.prefix]

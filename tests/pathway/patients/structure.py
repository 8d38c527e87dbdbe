"""When two resources are alike for a validator: the same elements with the same codes, whoever they are about."""

from __future__ import annotations

import re
from typing import Any

WORDS = frozenset(
    {"authorString", "comment", "contentString", "description", "display", "text", "title", "valueString", "value"}
)
"""Elements of free text, and Identifier.value: any words in them are as valid as others."""

_DATED = re.compile(r"\d{4}-\d{2}-\d{2}(T.*)?")


def skeleton(value: Any, name: str = "") -> Any:
    """A resource without what is hers alone, to compare.

    Kept: every element, every code, system, url, number and boolean, since those may break a rule. Left out: ids and
    versions, words, the id in a reference (its type stays), the digits of a date (its form stays), and that an element
    repeats in the same form. What those could break, a wrong date or an empty text, is found in every single resource
    by our own check.
    """
    if isinstance(value, dict):
        return tuple((key, skeleton(inner, key)) for key, inner in sorted(value.items()) if key not in ("id", "meta"))
    if isinstance(value, list):
        return tuple(dict.fromkeys(skeleton(inner, name) for inner in value))
    if name == "reference":
        return str(value).partition("/")[0]
    if name in WORDS and isinstance(value, str):
        return "words"
    if isinstance(value, str) and _DATED.fullmatch(value):
        return re.sub(r"\d", "9", value)
    return repr(value)

"""References as text: `Type/id`, with or without the base they are meant against."""

from __future__ import annotations

import re

_RELATIVE = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")


def relative(reference: str, base_url: str) -> str:
    """`Type/id` for a literal reference into `base_url`, without version; any other one is returned as it is."""
    inside = reference.removeprefix(base_url.rstrip("/") + "/") if base_url else reference
    match = _RELATIVE.fullmatch(inside)
    return f"{match[1]}/{match[2]}" if match else reference


def parts(reference: str) -> tuple[str, str] | None:
    """Type and id of a relative reference, None for any other."""
    match = _RELATIVE.fullmatch(reference)
    return (match[1], match[2]) if match else None

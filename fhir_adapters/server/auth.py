"""Who may use the base: whoever has its bearer token (RFC 6750)."""

from __future__ import annotations

from hmac import compare_digest

from fhir_adapters.server.door import Door
from fhir_adapters.server.errors import Unauthorized


def authorize(door: Door, authorization: str | None) -> None:
    """Raises Unauthorized unless the header Authorization carries the door's token."""
    if door.token is None:
        return
    scheme, _, token = (authorization or "").partition(" ")
    same = compare_digest(token.strip().encode("utf-8"), door.token.encode("utf-8"))
    if scheme.lower() != "bearer" or not same:
        raise Unauthorized

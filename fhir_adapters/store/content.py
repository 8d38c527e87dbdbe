"""A stored resource's JSON: written as it came, compared without what the server itself sets."""

from __future__ import annotations

import json
import re
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec

from fhir_adapters.store.times import to_instant
from pathway.errors import InvalidResource
from pathway.ports import Resource

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_CANONICAL = msgspec.json.Encoder(decimal_format="number", order="deterministic")
_SET_BY_SERVER = ("versionId", "lastUpdated")


def encode(resource: Resource) -> str:
    """The JSON text: decimals keep their digits, members their order."""
    return _ENCODER.encode(resource).decode()


def decode(content: str) -> Resource:
    """The resource that `encode` wrote."""
    resource: Resource = json.loads(content, parse_float=Decimal, parse_int=_integer)
    return resource


def _integer(text: str) -> int | Decimal:
    """What an int or the encoder's 64 bits cannot hold stays a Decimal: -0 and very long numbers."""
    return int(text) if len(text) <= 18 and text != "-0" else Decimal(text)


def type_of(resource: Resource) -> str:
    """Raises InvalidResource when there is no usable `resourceType`."""
    type = resource.get("resourceType")
    if not isinstance(type, str) or not _TYPE.fullmatch(type):
        raise InvalidResource(f"resourceType is not a FHIR resource type: {type!r}")
    return type


def id_of(resource: Resource) -> str:
    """Raises InvalidResource when there is no usable `id`."""
    id = resource.get("id")
    if not isinstance(id, str) or not _ID.fullmatch(id):
        raise InvalidResource(f"{resource.get('resourceType')}.id is not a FHIR id: {id!r}")
    return id


def meta_of(resource: Resource) -> dict[str, Any]:
    """A copy of `meta`, empty without one. Raises InvalidResource when it is no object."""
    meta = resource.get("meta", {})
    if not isinstance(meta, dict):
        raise InvalidResource(f"{resource.get('resourceType')}.meta is not an object")
    return dict(meta)


def stamped(resource: Resource, id: str, version: int, last_updated: datetime) -> Resource:
    """The resource with our `id`, `meta.versionId` and `meta.lastUpdated`; all else, and its order, stays."""
    meta = meta_of(resource) | {"versionId": str(version), "lastUpdated": to_instant(last_updated)}
    if "id" in resource and "meta" in resource:
        return resource | {"id": id, "meta": meta}
    head = {"resourceType": resource["resourceType"], "id": id, "meta": meta}
    return head | {name: value for name, value in resource.items() if name not in head}


def fingerprint(resource: Resource) -> str:
    """A hash of the content without `meta.versionId` and `meta.lastUpdated`; 1.10 and 1.1 differ, order does not."""
    meta = {name: value for name, value in meta_of(resource).items() if name not in _SET_BY_SERVER}
    rest = {name: value for name, value in resource.items() if name != "meta"}
    return sha256(_CANONICAL.encode(rest | {"meta": meta} if meta else rest)).hexdigest()


def same_content(one: Resource, other: Resource) -> bool:
    """Whether writing one over the other would change nothing."""
    return fingerprint(one) == fingerprint(other)

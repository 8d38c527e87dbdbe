"""What a resource can be found by, as the store keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fhir_adapters.r4.search_values import SearchValue, values
from fhir_adapters.r4.tables import search
from fhir_adapters.store.references import relative
from pathway.errors import InvalidResource
from pathway.ports import Resource

LOWEST, HIGHEST = "", "Z"  # sort before and after every point in time
LOGICAL = "identifier"  # the kind of a reference by identifier


@dataclass(frozen=True)
class Indexed:
    """A search value without None where it is compared.

    A literal reference into the hospital's own base is relative, and its bare id stands in `system`; a logical one has
    the kind LOGICAL and is a token. A date that is open at an end begins LOWEST or ends HIGHEST.
    """

    param: str
    kind: str
    system: str
    value: str
    low: str
    high: str


def indexed(resource: Resource, base_url: str) -> Sequence[Indexed]:
    """Each value once. Raises InvalidResource for a type that is not kept here, or content that is no FHIR."""
    type = resource["resourceType"]
    if type not in search():
        raise InvalidResource(f"Resources of type {type} are not kept here")
    try:
        found = values(resource)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidResource(
            f"{type}/{resource.get('id')} is not valid FHIR and cannot be indexed: {error}"
        ) from error
    return list(dict.fromkeys(_indexed(value, base_url) for value in found))


def _indexed(found: SearchValue, base_url: str) -> Indexed:
    kind, system, value = str(found.kind), found.system or "", found.value or ""
    if kind == "reference" and found.system is not None:
        kind = LOGICAL
    elif kind == "reference":
        value = relative(value, base_url)
        system = value.rpartition("/")[2]
    return Indexed(found.param, kind, system, value, found.low or LOWEST, found.high or HIGHEST)

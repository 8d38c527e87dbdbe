"""Which search parameters this server answers; the CapabilityStatement and the search itself both ask here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from fhir_adapters.r4 import tables
from fhir_adapters.r4.search_values import definition

RESULT_PARAMETERS = frozenset({"_count", "_sort", "_total", "_summary"})
OF_HTTP = frozenset({"_format", "_pretty"})
_SEARCHED_KINDS = ("token", "reference", "string", "date", "uri")


@cache
def search_parameters(type: str) -> Mapping[str, str]:
    """Name of each search parameter of the type that is answered, to its kind."""
    names = sorted(tables.search().get(type, {}).keys() | tables.search()["Resource"].keys())
    found = ((name, definition(type, name)) for name in names)
    return {name: defined.type for name, defined in found if defined and defined.type in _SEARCHED_KINDS}


def is_criterion(type: str, name: str) -> bool:
    """Whether the parameter, which may have a modifier, picks resources of the type."""
    return name.partition(":")[0] in search_parameters(type)

"""The one resource a condition picks: If-None-Exist, conditional update, conditional references."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fhir_adapters.server.errors import Malformed
from fhir_adapters.server.search_parameters import OF_HTTP, is_criterion
from pathway.errors import InvalidResource, MultipleMatches
from pathway.ports import FhirRepository, Key, Query, Resource

_MOST_PARAMETERS = 200


def parameters(text: str) -> Query:
    """The parameters of a query string or a form. Raises Malformed."""
    try:
        found = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS)
    except ValueError as error:
        raise Malformed("The search parameters are not URL-encoded UTF-8, or too many") from error
    if any("\0" in name or "\0" in value for name, value in found):
        raise Malformed("A search parameter contains the character NUL")
    return found


def condition(type: str, text: str) -> Query:
    """The criteria of a condition, `identifier=system|value` or `Type?identifier=system|value`. Raises Malformed."""
    return criteria(type, parameters(text.removeprefix(type).removeprefix("?")))


def criteria(type: str, query: Query) -> Query:
    """The query as a condition. Raises Malformed without parameters or with an unknown one: it would pick anything."""
    found = [(name, value) for name, value in query if name not in OF_HTTP]
    if not found:
        raise Malformed("A condition needs search parameters, such as identifier=system|value")
    for name, _ in found:
        if not is_criterion(type, name):
            raise Malformed(f"{type} cannot be picked by the search parameter {name[:64]}")
    return found


def match(repository: FhirRepository, type: str, wanted: Query) -> Resource | None:
    """The resource that meets the criteria, None if there is none. Raises MultipleMatches, Malformed."""
    try:
        page = repository.search(type, [*wanted, ("_count", "2")])
    except InvalidResource as error:
        raise Malformed(error.issues) from error
    if len(page.resources) > 1:
        raise MultipleMatches(f"Several {type} resources match the condition; it must pick one")
    return page.resources[0] if page.resources else None


def carried_key(resource: Resource, wanted: Query) -> Key | None:
    """The identifier the condition asks for, if that is all it asks for and the resource has it."""
    if len(wanted) != 1 or wanted[0][0] != "identifier":
        return None
    system, bar, value = wanted[0][1].partition("|")
    identifiers = resource.get("identifier")
    carried = identifiers if isinstance(identifiers, list) else [identifiers]
    asked = {"system": system, "value": value}
    found = any(isinstance(each, dict) and each.items() >= asked.items() for each in carried)
    return Key(system, value) if bar and system and value and found else None

"""What the entries of a transaction are about, and how they refer to each other
(https://hl7.org/fhir/R4/http.html#trules)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from fhir_adapters.server.entries import Entry
from fhir_adapters.server.errors import EntryFailed, Malformed
from fhir_adapters.server.matching import condition, criteria, match
from pathway.keys import key_of
from pathway.ports import FhirRepository, Query, Resource

_URN = re.compile(r"urn:(?:uuid|oid):.*")
_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?(.+)")
_OF_SERVER = re.compile(r".*/([A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})")
_NO_REFERENCES = frozenset({"identifier", "valueIdentifier", "value", "id", "text", "display", "valueString"})


@dataclass(frozen=True)
class Planned:
    """A write whose resource is known: `found` is what its condition picked, `wanted` that condition."""

    entry: Entry
    id: str
    found: Resource | None = None
    wanted: Query | None = None

    @property
    def reference(self) -> str:
        return f"{self.entry.request.type}/{self.id}"


def planned(repository: FhirRepository, entry: Entry) -> Planned:
    """Which resource a write is about. Raises Malformed, MultipleMatches."""
    request = entry.request
    if request.id:
        return Planned(entry, request.id)
    own_id = (request.resource or {}).get("id") if entry.form[0] == "PUT" else None
    if entry.form[0] == "PUT":
        wanted = criteria(request.type, request.query)
    elif request.if_none_exist is not None:
        wanted = condition(request.type, request.if_none_exist)
    else:
        return Planned(entry, str(uuid4()))
    found = match(repository, request.type, wanted)
    if found is not None and own_id not in (None, found["id"]):
        raise Malformed(f"The condition picks {request.type}/{found['id']}; the resource has another id")
    return Planned(entry, found["id"] if found else own_id or str(uuid4()), found, wanted)


def refuse_duplicates(writes: Sequence[Planned]) -> None:
    """Raises EntryFailed when two entries are about one resource: FHIR gives no order between them."""
    seen: dict[object, int] = {}
    for write in writes:
        for identity in _identities(write):
            first = seen.setdefault(identity, write.entry.index)
            if first != write.entry.index:
                cause = Malformed(f"Bundle.entry[{first}] is about the same resource, {write.entry.request.type}")
                raise EntryFailed(write.entry.index, cause)


def _identities(write: Planned) -> Iterator[object]:
    type, resource = write.entry.request.type, write.entry.request.resource
    yield write.reference
    if write.wanted is not None:
        yield type, frozenset(write.wanted)
    key = key_of(resource) if resource is not None and write.entry.form[0] != "DELETE" else None
    if key is not None:
        yield type, key


def addresses(writes: Sequence[Planned]) -> Mapping[str, str]:
    """What the entries call their resources, to what these are called here."""
    known: dict[str, str] = {}
    for write in writes:
        full_url = write.entry.full_url
        if full_url is None or write.entry.form[0] == "DELETE":
            continue
        known[full_url] = write.reference
        relative = _OF_SERVER.fullmatch(full_url)
        if relative:
            known[relative[1]] = write.reference
    return known


class References:
    """Rewrites references by fullUrl or by search into `Type/id`."""

    def __init__(self, repository: FhirRepository, known: Mapping[str, str]) -> None:
        self._repository = repository
        self._known = known

    def rewritten(self, resource: Resource) -> Resource:
        """The resource with references of this server. Raises Malformed, MultipleMatches."""
        found: Resource = self._value("", resource)
        return found

    def _value(self, key: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._member(name, member) for name, member in value.items()}
        if isinstance(value, list):
            return [self._value(key, item) for item in value]
        if not isinstance(value, str):
            return value
        if key == "reference":
            return self._reference(value)
        return self._narrative(value) if key == "div" else self._known.get(value, value)

    def _member(self, name: str, member: Any) -> Any:
        inert = name in _NO_REFERENCES and not (name == "text" and isinstance(member, dict))
        return member if inert else self._value(name, member)

    def _reference(self, text: str) -> str:
        if text in self._known:
            return self._known[text]
        if _URN.fullmatch(text):
            raise Malformed(f"No entry of the transaction has the fullUrl {text[:80]}")
        search = _CONDITIONAL.fullmatch(text)
        return self._found(search[1], search[2]) if search else text

    def _found(self, type: str, query: str) -> str:
        found = match(self._repository, type, condition(type, query))
        if found is None:
            raise Malformed(f"No {type} matches the conditional reference")
        return f"{type}/{found['id']}"

    def _narrative(self, text: str) -> str:
        for full_url, reference in self._known.items():
            text = text.replace(f'"{full_url}"', f'"{reference}"')
        return text

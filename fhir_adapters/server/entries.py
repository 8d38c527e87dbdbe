"""The entries of a batch or transaction: read as interactions, answered as entries (https://hl7.org/fhir/R4/bundle.html)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fhir_adapters.server import read, search, write
from fhir_adapters.server.door import Door
from fhir_adapters.server.errors import InteractionNotSupported
from fhir_adapters.server.interaction import Answer, FhirRequest
from fhir_adapters.server.matching import parameters
from fhir_adapters.server.resource_types import require_address
from fhir_adapters.server.versions import etag
from pathway.errors import NotFound
from pathway.ports import FhirRepository, Resource, Transaction

Reading = Callable[[FhirRepository, Door, FhirRequest], Answer]
Writing = Callable[[Transaction, Door, FhirRequest], write.Done]

READS: Mapping[tuple[str, str], Reading] = {
    ("GET", "Type"): search.search,
    ("GET", "Type/id"): read.read,
    ("GET", "Type/id/_history"): read.history,
    ("GET", "Type/id/_history/version"): read.vread,
}
WRITES: Mapping[tuple[str, str], Writing] = {
    ("POST", "Type"): write.create,
    ("PUT", "Type"): write.conditional_update,
    ("PUT", "Type/id"): write.update,
    ("DELETE", "Type/id"): write.delete,
}
_SHAPES = {1: "Type", 2: "Type/id", 3: "Type/id/_history", 4: "Type/id/_history/version"}


@dataclass(frozen=True)
class Entry:
    """An entry as the interaction it asks for: its method and the shape of its address."""

    index: int
    form: tuple[str, str]
    request: FhirRequest
    full_url: str | None


def entry(door: Door, bundle: FhirRequest, index: int, content: Resource) -> Entry:
    """The entry at `index` of a Bundle whose envelope is valid. Raises Malformed, NotFound, InteractionNotSupported."""
    asked = content["request"]
    path, _, query = asked["url"].removeprefix(f"{door.base}/").removeprefix("/").partition("?")
    segments = path.split("/")
    form = (asked["method"], _SHAPES.get(len(segments), ""))
    type, id, history, version = (*segments, "", "", "", "")[:4]
    if segments[-1].startswith("$"):
        raise InteractionNotSupported(
            f"An entry cannot call {segments[-1][:64]}: send operations one by one, outside a Bundle. An entry can be"
            " a read, vread, history, search, create, update or delete"
        )
    require_address(form[0], type, id, version)
    if not all(segments):
        raise NotFound("The address of the entry has an empty part")
    if form not in {**READS, **WRITES} or history not in ("", "_history"):
        raise InteractionNotSupported(f"An entry cannot be {form[0]} {form[1] or 'an address as long as this'}")
    request = FhirRequest(
        type,
        id,
        version,
        parameters(query),
        content.get("resource"),
        if_match=asked.get("ifMatch"),
        if_none_match=asked.get("ifNoneMatch"),
        if_none_exist=asked.get("ifNoneExist"),
        returned=bundle.returned or "minimal",
        strict=bundle.strict,
    )
    return Entry(index, form, request, content.get("fullUrl"))


def response_entry(answer: Answer) -> Resource:
    """The answer as an entry; an OperationOutcome about it goes into `response.outcome`."""
    status = HTTPStatus(answer.status)
    response: dict[str, Any] = {"status": f"{status.value} {status.phrase}"}
    if answer.location is not None:
        response["location"] = answer.location
    if answer.subject is not None:
        response |= {"etag": etag(answer.subject), "lastModified": answer.subject["meta"]["lastUpdated"]}
    if answer.resource is None:
        return {"response": response}
    if answer.resource["resourceType"] == "OperationOutcome":
        return {"response": response | {"outcome": answer.resource}}
    return {"resource": answer.resource, "response": response}

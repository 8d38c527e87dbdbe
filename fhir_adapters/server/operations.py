"""The operations that a door adds: their rows, and how one is carried out (https://hl7.org/fhir/R4/operations.html)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http import HTTPStatus

from fhir_adapters.server.door import Door
from fhir_adapters.server.interaction import Answer, FhirRequest, Interaction
from fhir_adapters.server.operation import Operation
from fhir_adapters.server.operation_input import asked
from pathway.issues import Issue, operation_outcome
from pathway.ports import Resource


def offered(door: Door) -> tuple[Interaction, ...]:
    """The rows of the door's own operations: POST, and GET for one that does not affect state."""
    return tuple(row for operation in door.operations for row in _rows(operation))


def _rows(operation: Operation) -> Iterator[Interaction]:
    name, type, perform = operation.name, operation.type, partial(_perform, operation)
    for level in sorted(operation.levels):
        path = f"/{type}/${name}" if level == "type" else f"/{type}/{{id}}/${name}"
        offered = Interaction(name, level, "POST", path, perform, "optional", operation=operation.definition, type=type)
        yield offered
        if not operation.affects_state:
            yield replace(offered, method="GET", body="none")


def _perform(operation: Operation, door: Door, request: FhirRequest) -> Answer:
    """The answer is a resource, the only output of these operations, and so the body itself."""
    found = asked(operation, request.id, request.query, request.resource)
    with door.store.transaction(door.hospital, read_only=not operation.affects_state) as tx:
        result = operation.run(tx, found)
    return Answer(HTTPStatus.OK, _preferred(operation, request, result))


def _preferred(operation: Operation, request: FhirRequest, result: Resource) -> Resource | None:
    """As Prefer: return asks for, which is about what changes state; without it, the result."""
    if not operation.affects_state or request.returned in (None, "representation"):
        return result
    if request.returned == "minimal":
        return None
    return operation_outcome([Issue("information", "informational", f"${operation.name} was carried out")])

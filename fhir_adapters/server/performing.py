"""An interaction by itself: a read on the repository, a write in a transaction of its own."""

from __future__ import annotations

from collections.abc import Callable

from fhir_adapters.server import write
from fhir_adapters.server.door import Door
from fhir_adapters.server.interaction import Answer, FhirRequest, Perform
from fhir_adapters.server.versions import based_on_version
from pathway.ports import FhirRepository, Transaction


def reading(step: Callable[[FhirRepository, Door, FhirRequest], Answer]) -> Perform:
    def perform(door: Door, request: FhirRequest) -> Answer:
        return step(door.store.repository(door.hospital), door, request)

    return perform


def writing(step: Callable[[Transaction, Door, FhirRequest], write.Done]) -> Perform:
    def perform(door: Door, request: FhirRequest) -> Answer:
        with based_on_version(request), door.store.transaction(door.hospital) as tx:
            done = step(tx, door, request)
            write.react(door, tx, [done])
        return write.answer(door, request, done)

    return perform

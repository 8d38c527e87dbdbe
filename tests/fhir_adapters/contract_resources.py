"""What the contract tests need of a server, and the valid R4 resources they write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from pathway.codes import KEY_SYSTEM
from pathway.ports import Create, FhirServer, Key, Resource, Written, search_all


@dataclass(frozen=True)
class Abilities:
    """What a server can; a test of what it cannot is skipped."""

    conditional_create: bool = True
    if_match: bool = True
    transaction_atomic: bool = True
    paging: bool = True
    vread: bool = True
    delete: bool = True
    delete_gone: bool = True
    client_ids: bool = True
    unchanged_update_writes_nothing: bool = True
    strict_search: bool = True
    last_updated_search: bool = True
    sort: bool = True
    modifiers: bool = True
    reference_identifier: bool = True
    total: bool = True
    keeps_decimals: bool = True


@contextmanager
def needs(ability: bool) -> Iterator[None]:
    if not ability:
        pytest.skip("the server has not this ability")
    yield


def unique_key() -> Key:
    return Key(KEY_SYSTEM, f"contract-{uuid4()}")


def patient(key: Key, **more: Any) -> Resource:
    name = [{"family": "Contract", "given": ["Pat"]}]
    return {"resourceType": "Patient", "identifier": [key.identifier()], "name": name, **more}


def task(patient: str, key: Key, **more: Any) -> Resource:
    same = {"status": "requested", "intent": "order", "for": {"reference": patient}}
    return {"resourceType": "Task", "identifier": [key.identifier()], **same, **more}


def appointment(patient: str, key: Key, **more: Any) -> Resource:
    participant = [{"actor": {"reference": patient}, "status": "needs-action"}]
    return {
        "resourceType": "Appointment",
        "identifier": [key.identifier()],
        "status": "proposed",
        "participant": participant,
        **more,
    }


def care_plan(patient: str, key: Key, **more: Any) -> Resource:
    same = {"status": "active", "intent": "plan", "subject": {"reference": patient}}
    return {"resourceType": "CarePlan", "identifier": [key.identifier()], **same, **more}


def create(server: FhirServer, resource: Resource) -> Written:
    return server.transact([Create(resource)])[0]


def found(server: FhirServer, type: str, *query: tuple[str, str]) -> set[str]:
    return {resource["id"] for resource in search_all(server, type, query)}

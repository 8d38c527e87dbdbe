"""The CapabilityStatement, made from the rows the router is made from (https://hl7.org/fhir/R4/capabilitystatement.html)."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from http import HTTPStatus
from typing import Any

from fhir_adapters.r4 import admission
from fhir_adapters.server.door import Door
from fhir_adapters.server.interaction import Answer, FhirRequest, Interaction
from fhir_adapters.server.resource_types import RESOURCE_TYPES
from fhir_adapters.server.search_parameters import search_parameters
from pathway.ports import Resource

PUBLISHED = "2026-11-23"


def capabilities(door: Door, request: FhirRequest, interactions: Sequence[Interaction]) -> Answer:
    """The statement; 304 when the client has it already."""
    resource = statement(door, interactions)
    tag = f'W/"{sha256(admission.render(resource)).hexdigest()[:20]}"'
    known = request.if_none_match is not None and tag in request.if_none_match
    if known:
        return Answer(HTTPStatus.NOT_MODIFIED, headers={"ETag": tag})
    return Answer(HTTPStatus.OK, resource, headers={"ETag": tag})


def statement(door: Door, interactions: Sequence[Interaction]) -> Resource:
    """What this base can do."""
    rest: dict[str, Any] = {"mode": "server"}
    if door.token is not None:
        rest["security"] = {"description": "Every request but this one carries the bearer token of this base."}
    rest["resource"] = [_resource(type, interactions) for type in RESOURCE_TYPES]
    rest["interaction"] = [{"code": each.code} for each in interactions if each.level == "whole-system"]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": PUBLISHED,
        "kind": "instance",
        "software": {"name": "calcinosis-pathway", "version": door.software},
        "implementation": {"description": "Follow-up after calcinosis excision surgery", "url": door.base},
        "fhirVersion": "4.0.1",
        "format": ["json", "application/fhir+json"],
        "rest": [rest],
    }


def _resource(type: str, interactions: Sequence[Interaction]) -> Resource:
    rows = [each for each in interactions if each.level != "whole-system" and each.type in ("", type)]
    codes = dict.fromkeys(each.code for each in rows if each.operation is None)
    operations = {each.code: each.operation for each in rows if each.operation is not None}
    offers: Resource = {name: value for each in rows for name, value in each.offers.items()}
    return {
        "type": type,
        "interaction": [{"code": code} for code in codes],
        **offers,
        "searchParam": [{"name": name, "type": kind} for name, kind in search_parameters(type).items()],
        "operation": [{"name": name, "definition": definition} for name, definition in operations.items()],
    }

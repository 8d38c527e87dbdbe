"""read, vread and history of one resource (https://hl7.org/fhir/R4/http.html#read)."""

from __future__ import annotations

from http import HTTPStatus

from fhir_adapters.server.door import Door
from fhir_adapters.server.interaction import Answer, FhirRequest
from fhir_adapters.server.versions import etag, not_modified
from pathway.ports import FhirRepository, Resource


def read(repository: FhirRepository, _door: Door, request: FhirRequest) -> Answer:
    """The current version; 304 when the client has it. Raises NotFound, Gone."""
    resource = repository.read(request.type, request.id)
    if not_modified(request, resource):
        return Answer(HTTPStatus.NOT_MODIFIED, subject=resource)
    return Answer(HTTPStatus.OK, resource, subject=resource)


def vread(repository: FhirRepository, _door: Door, request: FhirRequest) -> Answer:
    """One version. Raises NotFound, Gone."""
    resource = repository.vread(request.type, request.id, request.version)
    return Answer(HTTPStatus.OK, resource, subject=resource)


def history(repository: FhirRepository, door: Door, request: FhirRequest) -> Answer:
    """All versions that have content, newest first, as a Bundle. Raises NotFound."""
    versions = repository.history(request.type, request.id)
    bundle = {
        "resourceType": "Bundle",
        "type": "history",
        "total": len(versions),
        "link": [{"relation": "self", "url": f"{door.base}/{request.type}/{request.id}/_history"}],
    }
    entries = [_version(door, resource) for resource in versions]
    return Answer(HTTPStatus.OK, bundle | ({"entry": entries} if entries else {}))


def _version(door: Door, resource: Resource) -> Resource:
    reference, meta = f"{resource['resourceType']}/{resource['id']}", resource["meta"]
    first = meta["versionId"] == "1"
    status = HTTPStatus.CREATED if first else HTTPStatus.OK
    return {
        "fullUrl": f"{door.base}/{reference}",
        "resource": resource,
        "request": {"method": "PUT", "url": reference},
        "response": {
            "status": f"{status.value} {status.phrase}",
            "etag": etag(resource),
            "lastModified": meta["lastUpdated"],
        },
    }

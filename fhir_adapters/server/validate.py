"""$validate (https://hl7.org/fhir/R4/resource-operation-validate.html)."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from fhir_adapters.r4 import admission
from fhir_adapters.server.door import Door
from fhir_adapters.server.errors import Malformed
from fhir_adapters.server.interaction import Answer, FhirRequest
from pathway.errors import PathwayError
from pathway.issues import Issue, operation_outcome
from pathway.ports import Resource


def validate(door: Door, request: FhirRequest) -> Answer:
    """What would keep the resource from being written, as an OperationOutcome; the answer is 200 either way.

    The resource comes as the body or as the parameter `resource`; on an instance, without one, it is the stored one.
    Raises NotFound, Gone, Malformed.
    """
    resource = _asked_about(request)
    if resource is None:
        if not request.id:
            raise Malformed("$validate needs a resource, as the body or as the parameter resource")
        resource = door.store.repository(door.hospital).read(request.type, request.id)
    return Answer(HTTPStatus.OK, operation_outcome(_issues(door, request, resource)))


def _asked_about(request: FhirRequest) -> Resource | None:
    body = request.resource
    if body is None or body.get("resourceType") != "Parameters":
        return body
    parameters = body.get("parameter")
    for parameter in parameters if isinstance(parameters, list) else []:
        if isinstance(parameter, dict) and parameter.get("name") == "resource":
            resource = parameter.get("resource")
            return resource if isinstance(resource, dict) else None
    return None


def _issues(door: Door, request: FhirRequest, resource: Resource) -> Sequence[Issue]:
    issues = admission.check(resource, request.type)
    if issues:
        return issues
    if request.id and resource.get("id") != request.id:
        return [Issue("error", "invalid", f"The resource's id is not {request.id[:64]!r}", f"{request.type}.id")]
    try:
        door.check(resource)
    except PathwayError as error:
        return error.issues
    return []

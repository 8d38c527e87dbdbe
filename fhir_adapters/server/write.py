"""create, update, conditional update and delete (https://hl7.org/fhir/R4/http.html#create)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from fhir_adapters.r4 import admission
from fhir_adapters.server.door import Door
from fhir_adapters.server.errors import Malformed, PreconditionFailed
from fhir_adapters.server.interaction import Answer, FhirRequest
from fhir_adapters.server.matching import carried_key, condition, criteria, match
from fhir_adapters.server.resource_types import is_id
from fhir_adapters.server.versions import required_version
from pathway.errors import InvalidResource, NotFound
from pathway.issues import Issue, operation_outcome
from pathway.ports import Create, Delete, FhirRepository, Resource, Transaction, Update, Written


@dataclass(frozen=True)
class Done:
    """A write as it was carried out; `stored` is False when there was nothing to change."""

    written: Written
    stored: bool


def create(tx: Transaction, door: Door, request: FhirRequest) -> Done:
    """Under an id of ours, unless If-None-Exist finds one already. Raises MultipleMatches, InvalidResource."""
    resource = {name: value for name, value in admitted(door, request).items() if name != "id"}
    if request.if_none_exist is None:
        return _written(tx, Create(resource))
    wanted = condition(request.type, request.if_none_exist)
    key = carried_key(resource, wanted)
    existing = None if key else match(tx, request.type, wanted)
    return Done(Written(existing), stored=False) if existing else _written(tx, Create(resource, key))


def update(tx: Transaction, door: Door, request: FhirRequest) -> Done:
    """Replace, or create under the client's id. Raises PreconditionFailed for If-None-Match: *, Conflict."""
    if not is_id(request.id):
        raise Malformed("An id has 1 to 64 letters, digits, '-' and '.'")
    resource = admitted(door, request)
    if resource.get("id") != request.id:
        raise Malformed(f"The resource's id must be the one of the address, {request.id!r}")
    return store(tx, request, resource)


def store(tx: Transaction, request: FhirRequest, resource: Resource) -> Done:
    """Write an admitted resource under its own id, if If-Match and If-None-Match hold."""
    version = required_version(request)
    current = _current(tx, request.type, resource["id"])
    if request.if_none_match is not None:
        if request.if_none_match.strip() != "*":
            raise Malformed("On an update, If-None-Match can only be *")
        if current is not None:
            raise PreconditionFailed(f"{request.type}/{resource['id']} exists already")
    [result] = tx.transact([Update(resource, version)])
    return Done(result, stored=current is None or _version(result.resource) != _version(current))


def conditional_update(tx: Transaction, door: Door, request: FhirRequest) -> Done:
    """`PUT Type?criteria`: none found creates, one is updated, several are refused (MultipleMatches).

    Raises Malformed when the body's id is another than the found one's, Conflict when it is taken and none was found.
    """
    resource = admitted(door, request)
    found = match(tx, request.type, criteria(request.type, request.query))
    if found is None:
        return create_as(tx, request, Create(resource))
    if resource.get("id", found["id"]) != found["id"]:
        raise Malformed(f"The condition picks {request.type}/{found['id']}; the resource has another id")
    return store(tx, request, resource | {"id": found["id"]})


def create_as(tx: Transaction, request: FhirRequest, change: Create) -> Done:
    """Create, under the id the resource has if any. Raises PreconditionFailed when a version of it was expected."""
    if required_version(request) is not None:
        raise PreconditionFailed("If-Match was sent, and nothing is there that could match")
    return _written(tx, change)


def delete(tx: Transaction, _door: Door, request: FhirRequest) -> Done:
    """Also when there is nothing (left) to delete. Raises PreconditionFailed."""
    version = required_version(request)
    current = _current(tx, request.type, request.id)
    if version is not None and (current is None or _version(current) != version):
        raise PreconditionFailed(f"{request.type}/{request.id} is not at version {version}")
    if current is None:
        return Done(Written({"resourceType": request.type, "id": request.id}, deleted=True), stored=False)
    return _written(tx, Delete(request.type, request.id))


def admitted(door: Door, request: FhirRequest) -> Resource:
    """The resource, found to be valid, of the type of its address and acceptable. Raises InvalidResource."""
    resource = request.resource
    if resource is None:
        raise Malformed("The request has no resource")
    found = resource.get("resourceType")
    if isinstance(found, str) and found != request.type:
        raise Malformed(f"This is a resource of type {found[:64]!r}; {request.type} is expected here")
    issues = admission.check(resource, request.type)
    if issues:
        raise InvalidResource(issues)
    door.check(resource)
    return resource


def react(door: Door, tx: Transaction, done: Iterable[Done]) -> None:
    """Let the pathway act on what was stored, in the same transaction."""
    for each in done:
        if each.stored and not each.written.deleted:
            door.react(tx, each.written.resource)


def answer(door: Door, request: FhirRequest, done: Done) -> Answer:
    """As Prefer: return asks for; without it, the resource."""
    result = done.written
    if result.deleted:
        return Answer(HTTPStatus.NO_CONTENT)
    resource = result.resource
    body: Resource | None = resource
    if request.returned == "minimal":
        body = None
    elif request.returned == "OperationOutcome":
        did = "created" if result.created else "stored" if done.stored else "left as it was"
        body = operation_outcome([Issue("information", "informational", f"{result.reference} was {did}")])
    return Answer(
        HTTPStatus.CREATED if result.created else HTTPStatus.OK,
        body,
        subject=resource,
        location=f"{door.base}/{result.reference}/_history/{_version(resource)}",
    )


def _written(tx: Transaction, change: Create | Delete) -> Done:
    [result] = tx.transact([change])
    return Done(result, stored=result.created or result.deleted)


def _current(repository: FhirRepository, type: str, id: str) -> Resource | None:
    try:
        return repository.read(type, id)
    except NotFound:
        return None


def _version(resource: Resource) -> str:
    return str(resource["meta"]["versionId"])

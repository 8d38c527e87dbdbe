"""transaction and batch (https://hl7.org/fhir/R4/http.html#transaction)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus

from fhir_adapters.r4 import admission
from fhir_adapters.server import outcome, write
from fhir_adapters.server.door import Door
from fhir_adapters.server.entries import READS, WRITES, Entry, entry, response_entry
from fhir_adapters.server.errors import EntryFailed, Malformed
from fhir_adapters.server.identities import Planned, References, addresses, planned, refuse_duplicates
from fhir_adapters.server.interaction import Answer, FhirRequest
from fhir_adapters.server.matching import carried_key
from fhir_adapters.server.performing import reading, writing
from fhir_adapters.server.versions import based_on_version
from pathway.errors import InvalidResource, PathwayError
from pathway.ports import Create, Resource, Transaction, Written

_ORDER = ("DELETE", "POST", "PUT")


def system(door: Door, request: FhirRequest) -> Answer:
    """A Bundle sent to the base, by its type. Raises Malformed for any other."""
    bundle = request.resource or {}
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") not in ("batch", "transaction"):
        raise Malformed("The base takes a Bundle of type transaction or batch")
    return transaction(door, request, bundle) if bundle["type"] == "transaction" else batch(door, request, bundle)


def batch(door: Door, request: FhirRequest, bundle: Resource) -> Answer:
    """Each entry by itself, in the order given."""
    contents = bundle.get("entry", [])
    envelope = bundle
    if isinstance(contents, list):
        envelope = bundle | {"entry": [_without_resource(content) for content in contents]} if contents else bundle
    _refuse_invalid(envelope)
    return _response("batch-response", [_alone(door, request, *numbered) for numbered in enumerate(contents)])


def transaction(door: Door, request: FhirRequest, bundle: Resource) -> Answer:
    """All entries or none: DELETE, POST, PUT, then GET. Raises EntryFailed, InvalidResource."""
    _refuse_invalid(bundle)
    entries = []
    for index, content in enumerate(bundle.get("entry", [])):
        with _failing_at(index):
            entries.append(entry(door, request, index, content))
    answers: dict[int, Answer] = {}
    with door.store.transaction(door.hospital) as tx:
        done = _writes(tx, door, [each for each in entries if each.form in WRITES])
        write.react(door, tx, done.values())
        for each in entries:
            with _failing_at(each.index):
                if each.form in READS:
                    answers[each.index] = READS[each.form](tx, door, each.request)
                else:
                    answers[each.index] = write.answer(door, each.request, done[each.index])
    return _response("transaction-response", [answers[each.index] for each in entries])


def _writes(tx: Transaction, door: Door, entries: Sequence[Entry]) -> dict[int, write.Done]:
    plan = []
    for each in sorted(entries, key=lambda each: _ORDER.index(each.form[0])):
        with _failing_at(each.index):
            plan.append(planned(tx, each))
    refuse_duplicates(plan)
    references = References(tx, addresses(plan))
    prepared = []
    for step in plan:
        with _failing_at(step.entry.index):
            prepared.append(_prepared(door, references, step))
    done = {}
    for step in prepared:
        with _failing_at(step.entry.index), based_on_version(step.entry.request):
            done[step.entry.index] = _write(tx, door, step)
    return done


def _prepared(door: Door, references: References, plan: Planned) -> Planned:
    """With the resource as it will be stored, admitted."""
    request = plan.entry.request
    if plan.entry.form[0] == "DELETE":
        return plan
    if request.resource is None:
        raise Malformed("The entry has no resource")
    resource = references.rewritten(request.resource)
    if plan.entry.form != ("PUT", "Type/id"):
        resource = resource | {"id": plan.id}
    request = replace(request, resource=resource)
    write.admitted(door, request)
    return replace(plan, entry=replace(plan.entry, request=request))


def _write(tx: Transaction, door: Door, plan: Planned) -> write.Done:
    request, resource = plan.entry.request, plan.entry.request.resource
    if resource is None or request.id:
        return WRITES[plan.entry.form](tx, door, request)
    if plan.found is None:
        key = carried_key(resource, plan.wanted) if plan.wanted and plan.entry.form[0] == "POST" else None
        return write.create_as(tx, request, Create(resource, key))
    if plan.entry.form[0] == "POST":
        return write.Done(Written(plan.found), stored=False)
    return write.store(tx, request, resource)


def _alone(door: Door, bundle: FhirRequest, index: int, content: Resource) -> Answer:
    try:
        each = entry(door, bundle, index, content)
        perform = reading(READS[each.form]) if each.form in READS else writing(WRITES[each.form])
        return perform(door, each.request)
    except Exception as error:
        return outcome.answer(error)


def _without_resource(content: object) -> object:
    if not isinstance(content, dict):
        return content
    return {name: member for name, member in content.items() if name != "resource"}


def _refuse_invalid(bundle: Resource) -> None:
    issues = admission.check(bundle, "Bundle")
    if issues:
        raise InvalidResource(issues)


@contextmanager
def _failing_at(index: int) -> Iterator[None]:
    try:
        yield
    except EntryFailed:
        raise
    except PathwayError as error:
        raise EntryFailed(index, error) from error


def _response(type: str, answers: Sequence[Answer]) -> Answer:
    bundle: Resource = {"resourceType": "Bundle", "type": type}
    if answers:
        bundle["entry"] = [response_entry(answer) for answer in answers]
    return Answer(HTTPStatus.OK, bundle)

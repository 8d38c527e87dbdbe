"""A CarePlan with everything it proposes, in one piece: the rest contained in it, or all as entries of a transaction.

What exists already, unchanged, is referred to by its own reference in both forms.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pathway import codes
from pathway.issues import Issue, operation_outcome
from pathway.keys import key_of
from pathway.ports import Resource
from pathway.references import reference_to, rewritten

_MESSAGES = "messages"


def with_messages(resource: Resource, issues: Sequence[Issue]) -> Resource:
    """The resource with what was found on the way, as a contained OperationOutcome (extension cqf-messages)."""
    if not issues:
        return resource
    outcome = {**operation_outcome(dict.fromkeys(issues)), "id": _MESSAGES}
    extension = {"url": codes.MESSAGES_EXTENSION, "valueReference": {"reference": f"#{_MESSAGES}"}}
    return {
        **resource,
        "contained": [*resource.get("contained", []), outcome],
        "extension": [*resource.get("extension", []), extension],
    }


def containing(container: Resource, inner: Sequence[Resource]) -> Resource:
    """`container` with `inner` contained in it; their references to each other and to it become `#id` and `#`."""
    local = {reference_to(resource): f"#{resource['id']}" for resource in inner}
    local[reference_to(container)] = "#"
    made = [_linked(_without_version(resource), local) for resource in inner]
    contained = [*made, *container.get("contained", [])]
    return _linked({**container, **({"contained": contained} if contained else {})}, local)


def transaction(resources: Sequence[Resource], versions: Mapping[str, str | None]) -> Resource:
    """The resources as a transaction Bundle: what is new by POST, if none has its identifier, the rest by PUT.

    `versions`: of what exists, by reference; it is changed only if nobody else has changed it meanwhile.
    """
    local = {reference_to(resource): _full_url(resource) for resource in resources}
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [_entry(_linked(_without_version(resource), local), versions) for resource in resources],
    }


def _entry(resource: Resource, versions: Mapping[str, str | None]) -> Resource:
    reference, named = reference_to(resource), {"fullUrl": _full_url(resource)}
    if reference in versions:
        version = versions[reference]
        based_on = {"ifMatch": f'W/"{version}"'} if version else {}
        return {**named, "resource": resource, "request": {"method": "PUT", "url": reference, **based_on}}
    key = key_of(resource)
    once = {"ifNoneExist": f"identifier={key.token()}"} if key else {}
    unnamed = {name: value for name, value in resource.items() if name != "id"}
    return {**named, "resource": unnamed, "request": {"method": "POST", "url": resource["resourceType"], **once}}


def _full_url(resource: Resource) -> str:
    return f"urn:uuid:{resource['id']}"


def _linked(resource: Resource, local: Mapping[str, str]) -> Resource:
    return rewritten(resource, lambda reference: local.get(reference, reference))


def _without_version(resource: Resource) -> Resource:
    meta: Any = {n: v for n, v in resource.get("meta", {}).items() if n not in ("versionId", "lastUpdated")}
    rest = {name: value for name, value in resource.items() if name != "meta"}
    return {**rest, "meta": meta} if meta else rest


def without(resource: Resource, references: Collection[str]) -> Resource:
    """The resource without the elements that are one of these references, or lists of them."""
    lists = {name: value for name, value in resource.items() if isinstance(value, list)}
    left = {name: [one for one in value if not _is_one(one, references)] for name, value in lists.items()}
    return {n: v for n, v in {**resource, **left}.items() if v != [] and not _is_one(v, references)}


def _is_one(value: Any, references: Collection[str]) -> bool:
    return isinstance(value, dict) and value.get("reference") in references

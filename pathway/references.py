"""References inside a resource: found, and rewritten without touching anything else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pathway.ports import Resource


def references_in(node: Any) -> Iterator[str]:
    """Every literal reference in a resource, contained ones left out."""
    if isinstance(node, dict):
        reference = node.get("reference")
        if isinstance(reference, str) and not reference.startswith("#"):
            yield reference
        for value in node.values():
            yield from references_in(value)
    elif isinstance(node, list):
        for item in node:
            yield from references_in(item)


def rewritten(resource: Resource, rewrite: Callable[[str], str]) -> Resource:
    """A copy in which every literal reference went through `rewrite`."""
    copy = _rewritten(resource, rewrite)
    assert isinstance(copy, dict)
    return copy


def _rewritten(node: Any, rewrite: Callable[[str], str]) -> Any:
    if isinstance(node, dict):
        copy = {name: _rewritten(value, rewrite) for name, value in node.items()}
        reference = node.get("reference")
        if isinstance(reference, str) and not reference.startswith("#"):
            copy["reference"] = rewrite(reference)
        return copy
    if isinstance(node, list):
        return [_rewritten(item, rewrite) for item in node]
    return node


def reference_to(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def patient_of(resource: Resource) -> str | None:
    """The Patient a resource is about, as `Patient/id`, where its type says so."""
    if resource["resourceType"] == "Patient":
        return reference_to(resource)
    for name in ("subject", "for", "patient"):
        reference = (resource.get(name) or {}).get("reference")
        if isinstance(reference, str) and "Patient/" in reference:
            return reference[reference.rindex("Patient/") :]
    for participant in resource.get("participant", []):
        reference = (participant.get("actor") or {}).get("reference") if isinstance(participant, dict) else None
        if isinstance(reference, str) and "Patient/" in reference:
            return reference[reference.rindex("Patient/") :]
    return None

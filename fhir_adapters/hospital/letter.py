"""What goes out of a resource of ours, as the hospital will see it: in its ids, without what is not there yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from fhir_adapters.store.links import Link
from fhir_adapters.store.sql_transaction import SqlTransaction
from pathway.codes import PERTAINS_TO_GOAL
from pathway.errors import Rejected
from pathway.keys import key_of
from pathway.ports import Resource
from pathway.references import references_in, rewritten

# What a hospital can do without: many servers show goals and let nobody create one.
MAY_STAY = ("Goal", "RiskAssessment")
_LISTS = ("activity", "goal", "supportingInfo")


@dataclass(frozen=True)
class Letter:
    """What is to be sent: the newest version, as the hospital will see it."""

    version: int
    body: Resource
    link: Link | None
    resource: Resource


class Waits(Exception):
    """It cannot be sent now: tried again at `until`, or soon."""

    def __init__(self, why: str, until: datetime | None = None) -> None:
        super().__init__(why)
        self.until = until


class Stays(Exception):
    """The hospital has no place for it."""


def body_of(tx: SqlTransaction, resource: Resource, *, all_visits: bool) -> Resource:
    """The resource in the hospital's ids. Raises Waits for what is not there yet, Rejected for what never will be.

    Not `all_visits`: a Task does not wait for its visit, which may find no place for days.
    """
    there = _only_what_is_there(tx, resource)
    if not all_visits and _works_on_a_visit(there) and not _is_there(tx, there["focus"]):
        del there["focus"]
    body = rewritten(there, lambda reference: _theirs(tx, reference))
    meta = {n: v for n, v in body.pop("meta", {}).items() if n in ("tag", "profile", "security")}
    body.pop("id", None)
    return {**body, **({"meta": meta} if meta else {})}


def _works_on_a_visit(resource: Resource) -> bool:
    focus = str(resource.get("focus", {}).get("reference", ""))
    return resource["resourceType"] == "Task" and focus.startswith("Appointment/")


def may_have_grown(resource: Resource, link: Link) -> bool:
    """Whether the same version may show the hospital more than it did."""
    return resource["resourceType"] == "CarePlan" or (_works_on_a_visit(resource) and "focus" not in link.base)


def was_booked(link: Link) -> bool:
    """Whether the hospital's Appointment is its own, and not one that we created there."""
    return link.type == "Appointment" and key_of(link.base) is None


def changed_names(before: Resource, resource: Resource) -> set[str]:
    return {n for n in {*before, *resource} - {"id", "meta"} if before.get(n) != resource.get(n)}


def onto(theirs: Resource, body: Resource, changed: Collection[str]) -> Resource:
    """The hospital's own resource with what we changed."""
    kept = {name: value for name, value in theirs.items() if name not in changed and name != "meta"}
    return kept | {name: body[name] for name in changed if name in body}


def _only_what_is_there(tx: SqlTransaction, resource: Resource) -> Resource:
    extensions = [e for e in resource.get("extension", []) if e["url"] != PERTAINS_TO_GOAL or _is_there(tx, e)]
    listed = {"extension": extensions}
    if resource["resourceType"] == "CarePlan":
        listed |= {name: [one for one in resource.get(name, []) if _is_there(tx, one)] for name in _LISTS}
    if resource["resourceType"] == "Provenance":
        listed["target"] = [target for target in resource["target"] if _expected(tx, target["reference"])]
        if not listed["target"]:
            raise Stays if _only_what_may_stay(resource["target"]) else Waits("Its targets are kept here for now")
    return {name: value for name, value in {**resource, **listed}.items() if value or name not in listed}


def _only_what_may_stay(targets: Sequence[Resource]) -> bool:
    return all(parts(target["reference"])[0] in MAY_STAY for target in targets)


def _is_there(tx: SqlTransaction, node: Resource) -> bool:
    """Whether all that a part of a resource refers to is at the hospital."""
    ours = [reference for reference in references_in(node) if tx.authored(reference)]
    return all(tx.links.of(*parts(reference)) is not None for reference in ours)


def _expected(tx: SqlTransaction, reference: str) -> bool:
    entry = tx.outbox.entry(*parts(reference))
    return tx.links.of(*parts(reference)) is not None or (entry is not None and entry.state != "quarantined")


def _theirs(tx: SqlTransaction, reference: str) -> str:
    if not tx.authored(reference):
        return reference
    link = tx.links.of(*parts(reference))
    if link is not None:
        return link.their_reference
    if tx.outbox.entry(*parts(reference)) is not None:
        raise Waits(f"Waits for {reference}")
    raise Rejected(f"It refers to {reference}, which is kept here")


def parts(reference: str) -> tuple[str, str]:
    type, _, id = reference.partition("/")
    return type, id

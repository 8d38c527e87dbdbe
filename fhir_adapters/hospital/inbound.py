"""What a hospital's server holds, taken into our store: its own resources as they are, its copies of ours merged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from fhir_adapters.hospital.merge import merge
from fhir_adapters.store.links import Link
from fhir_adapters.store.sql import SqlStore
from fhir_adapters.store.sql_transaction import SqlTransaction
from pathway.errors import UNFORESEEN, InvalidResource
from pathway.keys import key_of
from pathway.ports import Quarantined, Resource, Transaction, Update
from pathway.references import reference_to, rewritten
from pathway.situation import AUTHORED_TYPES

React = Callable[[Transaction, Resource], None]
Concerns = Callable[[Transaction, Resource], bool]
_MADE_BY_US = frozenset({"CarePlan", *AUTHORED_TYPES})
_NOT_COMPARED = frozenset({"id", "meta", "text"})


@dataclass(frozen=True)
class Inbound:
    """Takes in one resource a transaction. `concerns` says whether a resource is any of our business."""

    store: SqlStore
    hospital: str
    source: str
    react: React
    concerns: Concerns

    def take_in(self, resource: Resource, *, asked_for: bool = False) -> bool:
        """Store it and react; False when there was nothing new in it. What was asked for concerns us anyway.

        What cannot even be stored is put aside, so that it does not keep the others from being read.
        """
        try:
            return self._take_in(resource, asked_for=asked_for)
        except (InvalidResource, *UNFORESEEN) as error:
            text = f"It cannot be stored ({error if isinstance(error, InvalidResource) else type(error).__name__})."
            reference = f"{resource.get('resourceType')}/{resource.get('id')}"
            with self.store.transaction(self.hospital, actor=self.source) as tx:
                tx.quarantine(Quarantined("not-stored", text, reference, _version(resource)))
            return False

    def _take_in(self, resource: Resource, *, asked_for: bool) -> bool:
        with self.store.transaction(self.hospital, actor=self.source) as tx:
            link = tx.links.by_theirs(resource["resourceType"], resource["id"]) or _adopted(tx, resource)
            if link is not None:
                return self.merge(tx, link, resource)
            if key_of(resource) is not None and resource["resourceType"] in _MADE_BY_US:
                text = "It carries a key of ours, but is not the copy that is known here."
                tx.quarantine(Quarantined("key-unknown", text, reference_to(resource), _version(resource)))
                return False
            if not asked_for and not self.concerns(tx, rewritten(resource, tx.ours)):
                return False
            written = tx.receive(resource, self.source)
            if written is None:
                return False
            self.react(tx, written.resource)
            return True

    def merge(self, tx: SqlTransaction, link: Link, theirs: Resource) -> bool:
        """Take what changed in the hospital's copy into ours and react; False when there was nothing new in it."""
        if _version(theirs) == link.their_version or _older(theirs, link.base):
            return False
        ours = tx.read(link.type, link.id)
        before = tx.vread(link.type, link.id, str(link.sent_version))
        theirs_before = rewritten(link.base, tx.ours)
        merged = merge(before, ours, theirs_before, rewritten(theirs, tx.ours))
        written = tx.transact([Update(merged.resource, ours["meta"]["versionId"])])[0].resource
        theirs_now = rewritten(theirs, tx.ours)
        behind = any(
            ours.get(name) != before.get(name) and merged.resource.get(name) != theirs_now.get(name)
            for name in (set(ours) | set(before)) - {"id", "meta"}
        )
        sent_version = link.sent_version if behind else int(written["meta"]["versionId"])
        tx.links.save(Link(link.type, link.id, link.their_id, _version(theirs), theirs, sent_version))
        if merged.disputed:
            text = f"Changed on both sides: {', '.join(merged.disputed)}. The hospital's values were kept."
            tx.quarantine(Quarantined("changed-on-both-sides", text, link.reference, written["meta"]["versionId"]))
        self.react(tx, written)
        return True


def _adopted(tx: SqlTransaction, resource: Resource) -> Link | None:
    """The link of a copy whose creation we were never told of: the connection was cut after the server stored it.

    What the hospital changed since is not known to both sides yet: agreed on is the version of ours it was made from.
    """
    key = key_of(resource)
    if key is None:
        return None
    for ours in tx.search(resource["resourceType"], [("identifier", key.token())]).resources:
        if tx.links.of(ours["resourceType"], ours["id"]) is None:
            sent = _sent(tx, ours, rewritten(resource, tx.ours))
            base = {name: value for name, value in sent.items() if name != "meta"}
            link = Link(ours["resourceType"], ours["id"], resource["id"], None, base, int(sent["meta"]["versionId"]))
            tx.links.save(link)
            return link
    return None


def _sent(tx: SqlTransaction, ours: Resource, theirs: Resource) -> Resource:
    """The version of ours that a copy differs from least; of several the newest."""
    return min(
        tx.history(ours["resourceType"], ours["id"]),
        key=lambda version: sum(version.get(n) != theirs.get(n) for n in (set(version) | set(theirs)) - _NOT_COMPARED),
    )


def _older(theirs: Resource, known: Resource) -> bool:
    """Whether it was read before what is known was written, by the hospital's clock; no where that is silent."""
    moments = [resource.get("meta", {}).get("lastUpdated") for resource in (theirs, known)]
    if None in moments:
        return False
    read, written = (datetime.fromisoformat(moment) for moment in moments)
    return read < written


def _version(resource: Resource) -> str | None:
    version = resource.get("meta", {}).get("versionId")
    return str(version) if version is not None else None

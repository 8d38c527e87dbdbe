"""Our resources, brought to the hospital's server: created once, updated with If-Match, never guessed about.

A lane per resource: what is sent is always its newest version. References go out in the hospital's ids, so a resource
waits until what it refers to is there; what a CarePlan lists, Provenance.target and the goals that a request pertains
to name only what is there. Goals and risks that a server does not take stay here, and nothing waits for them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fhir_adapters.hospital.client import HospitalClient
from fhir_adapters.hospital.inbound import Inbound
from fhir_adapters.store.links import Link
from fhir_adapters.store.outbox import OutboxClaim
from fhir_adapters.store.sql import SqlStore
from fhir_adapters.store.sql_transaction import SqlTransaction
from pathway.codes import PERTAINS_TO_GOAL
from pathway.errors import (
    Conflict,
    Forbidden,
    HospitalError,
    MultipleMatches,
    NotFound,
    NotLetIn,
    PathwayError,
    Rejected,
    TooBusy,
    Unreachable,
)
from pathway.keys import key_of
from pathway.ports import Create, Resource, Update, Written, search_all
from pathway.references import reference_to, references_in, rewritten

_BATCH = 20
_SOON = timedelta(milliseconds=200)
_FIRST_DELAY, _LONGEST_DELAY = 1.0, 300.0
_SERVER_ERRORS_BORNE = 5
# What a hospital can do without: many servers show goals and let nobody create one.
_MAY_STAY = ("Goal", "RiskAssessment")
_LISTS = ("activity", "goal", "supportingInfo")


@dataclass(frozen=True)
class Letter:
    """What is to be sent: the newest version, as the hospital will see it."""

    version: int
    body: Resource
    link: Link | None
    resource: Resource


class _Waits(Exception):
    pass


class _Stays(Exception):
    pass


@dataclass(frozen=True)
class Outbound:
    """Empties the outbox of one hospital. What a worker held that died is taken up after `lease`."""

    store: SqlStore
    hospital: str
    client: HospitalClient
    inbound: Inbound
    clock: Callable[[], datetime]
    lease: timedelta = timedelta(seconds=60)

    def run(self) -> int:
        """Send what is due; how many arrived. Stops at the first sign that the server is not there."""
        arrived = 0
        while claims := self.store.claim_outbox(self.hospital, _BATCH, self.lease):
            for number, claim in enumerate(claims):
                try:
                    arrived += self._deliver(claim)
                except (Unreachable, TooBusy, NotLetIn) as error:
                    self._not_there(claims[number + 1 :], error)
                    return arrived
        return arrived

    def _deliver(self, claim: OutboxClaim) -> bool:
        try:
            letter = self._letter(claim)
            if letter is None:
                return False
            written = self._send(claim, letter)
        except _Stays:
            self.store.drop_outbox(claim)
        except _Waits as waits:
            self.store.retry_outbox(claim, self.clock() + _SOON * min(claim.attempt, 50), str(waits))
        except (Unreachable, TooBusy, NotLetIn) as error:
            self.store.mark_unknown(claim, self._later(claim, error), str(error))
            raise
        except Conflict as error:
            if self._look_again(claim):
                self.store.retry_outbox(claim, self.clock() + _SOON * min(claim.attempt, 50), str(error))
            else:
                self._fails(claim, error)
        except (Rejected, Forbidden, MultipleMatches) as error:
            self.store.quarantine_outbox(claim, str(error))
        except (HospitalError, NotFound) as error:
            self._fails(claim, error)
        else:
            return self._arrived(claim, letter, written)
        return False

    def _letter(self, claim: OutboxClaim) -> Letter | None:
        """None when the hospital has this version already. Raises _Waits, _Stays, Rejected."""
        if claim.type in _MAY_STAY and self.client.plan.of(claim.type).create == "nothing":
            raise _Stays
        with self.store.transaction(self.hospital, read_only=True) as tx:
            resource = tx.read(claim.type, claim.id)
            version = int(resource["meta"]["versionId"])
            link = tx.links.of(claim.type, claim.id)
            if link is None or link.sent_version < version or claim.type == "CarePlan":
                return Letter(version, _body(tx, resource), link, resource)
        self._finish(claim, link, resource)
        return None

    def _send(self, claim: OutboxClaim, letter: Letter) -> Written:
        if letter.link is not None:
            body = {**letter.body, "id": letter.link.their_id}
            return self.client.transact([Update(body, letter.link.their_version)])[0]
        try:
            return self._create(claim, letter)
        except (Rejected, Forbidden, NotFound):
            if claim.type in _MAY_STAY and not self.client.plan.of(claim.type).listed:
                raise _Stays from None
            raise

    def _create(self, claim: OutboxClaim, letter: Letter) -> Written:
        key = key_of(letter.resource)
        if claim.uncertain and key is not None:
            existing = self.client.find(claim.type, key)
            if existing is not None:
                return Written(existing)
        return self.client.transact([Create({**letter.body, "id": claim.id}, key)])[0]

    def _arrived(self, claim: OutboxClaim, letter: Letter, written: Written) -> bool:
        there = written.resource
        if not written.created and letter.link is None and key_of(letter.resource) is not None:
            return self._was_there(claim, there)
        version = str(there.get("meta", {}).get("versionId", "")) or None
        link = Link(claim.type, claim.id, there["id"], version, there, letter.version)
        return self._finish(claim, link, letter.resource)

    def _was_there(self, claim: OutboxClaim, there: Resource) -> bool:
        """It may be an older version of ours, and changed since: it is taken in, then what is still missing is sent."""
        self.inbound.take_in(there)
        if self.store.link(self.hospital, claim.type, claim.id) is None:
            text = f"{claim.type}/{there['id']} carries its key, but is the copy of another resource"
            self.store.quarantine_outbox(claim, text)
            return False
        return self.store.retry_outbox(claim, self.clock(), "A copy was there already")

    def _finish(self, claim: OutboxClaim, link: Link, resource: Resource) -> bool:
        """A CarePlan that lists it and does not show it there yet is sent again."""
        with self.store.transaction(self.hospital) as tx:
            if not tx.outbox.finish(claim, link):
                return False
            for plan in _plans_of(tx, resource):
                there = tx.links.of(*plan)
                listed = there is not None and claim.reference in references_in(tx.read(*plan))
                if there is not None and listed and link.their_reference not in references_in(there.base):
                    tx.outbox.again(*plan)
        return True

    def _look_again(self, claim: OutboxClaim) -> bool:
        """Somebody else was first: take in what the hospital has now; whether that was news."""
        link = self.store.link(self.hospital, claim.type, claim.id)
        if link is None:
            return False
        try:
            return self.inbound.take_in(self.client.read(claim.type, link.their_id))
        except (HospitalError, NotFound):
            return False

    def _fails(self, claim: OutboxClaim, error: PathwayError) -> None:
        if claim.failures + 1 >= _SERVER_ERRORS_BORNE:
            self.store.quarantine_outbox(claim, f"Given up after {claim.failures + 1} failures: {error}")
        else:
            self.store.mark_unknown(claim, self._later(claim, error), str(error), failed=True)

    def _not_there(self, claims: Sequence[OutboxClaim], error: HospitalError) -> None:
        """The others were not sent: they wait like the first, as certain as they were."""
        for claim in claims:
            self.store.retry_outbox(claim, self._later(claim, error), str(error))

    def _later(self, claim: OutboxClaim, error: Exception) -> datetime:
        asked = error.retry_after if isinstance(error, TooBusy) and error.retry_after is not None else 0.0
        longest = min(_LONGEST_DELAY, _FIRST_DELAY * 2 ** min(claim.attempt, 12))
        return self.clock() + timedelta(seconds=max(asked, random.uniform(longest / 2, longest)))


def _body(tx: SqlTransaction, resource: Resource) -> Resource:
    """The resource in the hospital's ids. Raises _Waits for what is not there yet, Rejected for what never will be."""
    there = _only_what_is_there(tx, resource)
    body = rewritten(there, lambda reference: _theirs(tx, reference))
    meta = {n: v for n, v in body.pop("meta", {}).items() if n in ("tag", "profile", "security")}
    body.pop("id", None)
    return {**body, **({"meta": meta} if meta else {})}


def _plans_of(tx: SqlTransaction, resource: Resource) -> set[tuple[str, str]]:
    """The CarePlans that a resource refers to; a Goal is referred to instead."""
    named = {reference for reference in references_in(resource) if reference.startswith("CarePlan/")}
    if resource["resourceType"] == "Goal":
        named |= {reference_to(plan) for plan in search_all(tx, "CarePlan", [("goal", reference_to(resource))])}
    return {_parts(reference) for reference in named}


def _only_what_is_there(tx: SqlTransaction, resource: Resource) -> Resource:
    extensions = [e for e in resource.get("extension", []) if e["url"] != PERTAINS_TO_GOAL or _is_there(tx, e)]
    listed = {"extension": extensions}
    if resource["resourceType"] == "CarePlan":
        listed |= {name: [one for one in resource.get(name, []) if _is_there(tx, one)] for name in _LISTS}
    if resource["resourceType"] == "Provenance":
        listed["target"] = [target for target in resource["target"] if _expected(tx, target["reference"])]
        if not listed["target"]:
            raise _Stays if _only_what_may_stay(resource["target"]) else _Waits("Its targets are kept here for now")
    return {name: value for name, value in {**resource, **listed}.items() if value or name not in listed}


def _only_what_may_stay(targets: Sequence[Resource]) -> bool:
    return all(_parts(target["reference"])[0] in _MAY_STAY for target in targets)


def _is_there(tx: SqlTransaction, node: Resource) -> bool:
    """Whether all that a part of a resource refers to is at the hospital."""
    ours = [reference for reference in references_in(node) if tx.authored(reference)]
    return all(tx.links.of(*_parts(reference)) is not None for reference in ours)


def _expected(tx: SqlTransaction, reference: str) -> bool:
    entry = tx.outbox.entry(*_parts(reference))
    return tx.links.of(*_parts(reference)) is not None or (entry is not None and entry.state != "quarantined")


def _theirs(tx: SqlTransaction, reference: str) -> str:
    if not tx.authored(reference):
        return reference
    link = tx.links.of(*_parts(reference))
    if link is not None:
        return link.their_reference
    if tx.outbox.entry(*_parts(reference)) is not None:
        raise _Waits(f"Waits for {reference}")
    raise Rejected(f"It refers to {reference}, which is kept here")


def _parts(reference: str) -> tuple[str, str]:
    type, _, id = reference.partition("/")
    return type, id

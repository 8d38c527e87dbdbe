"""Our resources, brought to the hospital's server: created once, updated with If-Match, never guessed about.

A lane per resource: what is sent is always its newest version. References go out in the hospital's ids, so a resource
waits until what it refers to is there; what a CarePlan lists, Provenance.target and the goals that a request pertains
to name only what is there. Goals and risks that a server does not take stay here, and nothing waits for them.

A visit that the site wants booked is not created there but booked (`booking.py`): its copy is then the hospital's own.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from fhir_adapters.hospital.booking import Booking
from fhir_adapters.hospital.client import HospitalClient
from fhir_adapters.hospital.inbound import Inbound
from fhir_adapters.hospital.letter import (
    MAY_STAY,
    Letter,
    Stays,
    Waits,
    body_of,
    changed_names,
    may_have_grown,
    onto,
    parts,
    was_booked,
)
from fhir_adapters.store.links import Link
from fhir_adapters.store.outbox import OutboxClaim
from fhir_adapters.store.sql import SqlStore
from fhir_adapters.store.sql_transaction import SqlTransaction
from pathway.errors import (
    UNFORESEEN,
    Conflict,
    Forbidden,
    HospitalError,
    InvalidResource,
    MultipleMatches,
    NotFound,
    NotLetIn,
    PathwayError,
    Rejected,
    TooBusy,
    Unreachable,
)
from pathway.keys import key_of
from pathway.ports import Create, Delete, Resource, Update, Written, search_all
from pathway.references import reference_to, references_in

_BATCH = 20
_SOON = timedelta(milliseconds=200)
_FIRST_DELAY, _LONGEST_DELAY = 1.0, 300.0
_SERVER_ERRORS_BORNE = 5
# What a booking decides about a visit; of all else in an Appointment each side keeps its own.
_BOOKING_DECIDES = frozenset({"status", "start", "end", "slot", "participant"})


@dataclass(frozen=True)
class Outbound:
    """Empties the outbox of one hospital. What a worker held that died is taken up after `lease`.

    `books_in`: the clinic's zone where the site wants visits booked; None where they are proposed.
    """

    store: SqlStore
    hospital: str
    client: HospitalClient
    inbound: Inbound
    clock: Callable[[], datetime]
    lease: timedelta = timedelta(seconds=60)
    books_in: str | None = None

    @cached_property
    def booking(self) -> Booking:
        return Booking(self.store, self.hospital, self.client, self.clock, self.lease, self.books_in)

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
            if letter.link is None and claim.type == "Appointment":
                arrived = self._by_booking(claim, letter)
                if arrived is not None:
                    return arrived
            written = self._send(claim, letter)
        except Stays:
            self.store.drop_outbox(claim)
        except Waits as waits:
            self.store.retry_outbox(claim, waits.until or self._soon(claim), str(waits))
        except (Unreachable, TooBusy, NotLetIn) as error:
            self.store.mark_unknown(claim, self._later(claim, error), str(error))
            raise
        except Conflict as error:
            if self._look_again(claim):
                self.store.retry_outbox(claim, self._soon(claim), str(error))
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
        """None when the hospital has this version already. Raises Waits, Stays, Rejected."""
        if claim.type in MAY_STAY and self.client.plan.of(claim.type).create == "nothing":
            raise Stays
        with self.store.transaction(self.hospital, read_only=True) as tx:
            resource = tx.read(claim.type, claim.id)
            version = int(resource["meta"]["versionId"])
            link = tx.links.of(claim.type, claim.id)
            if link is None or link.sent_version < version or may_have_grown(resource, link):
                body = body_of(tx, resource, all_visits=self.books_in is None)
                if link is None or not was_booked(link):
                    return Letter(version, body, link, resource)
                before = tx.vread(link.type, link.id, str(link.sent_version))
                if changed := changed_names(before, resource):
                    return Letter(version, onto(link.base, body, changed), link, resource)
        self._finish(claim, link, resource)
        return None

    def _send(self, claim: OutboxClaim, letter: Letter) -> Written:
        if letter.link is not None:
            body = {**letter.body, "id": letter.link.their_id}
            return self.client.transact([Update(body, letter.link.their_version)])[0]
        try:
            return self._create(claim, letter)
        except (Rejected, Forbidden, NotFound):
            if claim.type in MAY_STAY and not self.client.plan.of(claim.type).listed:
                raise Stays from None
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

    def _by_booking(self, claim: OutboxClaim, letter: Letter) -> bool | None:
        """Whether it arrived; None where it is to be proposed to people."""
        try:
            there = self.booking.booked(claim, letter.resource)
            return None if there is None else self._booked(claim, letter, there)
        except (InvalidResource, *UNFORESEEN) as error:
            text = f"What it answered about a booking cannot be taken in ({type(error).__name__})"
            raise HospitalError(text) from error

    def _booked(self, claim: OutboxClaim, letter: Letter, there: Resource) -> bool:
        """The hospital's Appointment is the copy of ours, and ours has what the booking decided, or neither."""
        decided = {name: value for name, value in letter.body.items() if name in _BOOKING_DECIDES}
        base = {name: value for name, value in there.items() if name not in _BOOKING_DECIDES} | decided
        link = Link(claim.type, claim.id, there["id"], None, base, letter.version)
        with self.store.transaction(self.hospital, actor=self.client.base) as tx:
            if not self._finished(tx, claim, link, letter.resource):
                return False
            # It may have been read as an Appointment of the hospital's before the answer was here.
            tx.transact([Delete(link.type, link.their_id) for _ in search_all(tx, link.type, [("_id", link.their_id)])])
            self.inbound.merge(tx, link, there)
        return True

    def _finish(self, claim: OutboxClaim, link: Link, resource: Resource) -> bool:
        with self.store.transaction(self.hospital) as tx:
            return self._finished(tx, claim, link, resource)

    def _finished(self, tx: SqlTransaction, claim: OutboxClaim, link: Link, resource: Resource) -> bool:
        """What lists or works on it and does not show it there yet is sent again. False: superseded."""
        if not tx.outbox.finish(claim, link):
            return False
        for named in _showing(tx, resource):
            there = tx.links.of(*named)
            listed = there is not None and claim.reference in references_in(tx.read(*named))
            if there is not None and listed and link.their_reference not in references_in(there.base):
                tx.outbox.again(*named)
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

    def _soon(self, claim: OutboxClaim) -> datetime:
        return self.clock() + _SOON * min(claim.attempt, 50)

    def _later(self, claim: OutboxClaim, error: Exception) -> datetime:
        asked = error.retry_after if isinstance(error, TooBusy) and error.retry_after is not None else 0.0
        longest = min(_LONGEST_DELAY, _FIRST_DELAY * 2 ** min(claim.attempt, 12))
        return self.clock() + timedelta(seconds=max(asked, random.uniform(longest / 2, longest)))


def _showing(tx: SqlTransaction, resource: Resource) -> set[tuple[str, str]]:
    """The CarePlans that a resource refers to, the Tasks that work on a visit; a Goal is referred to instead."""
    named = {reference for reference in references_in(resource) if reference.startswith("CarePlan/")}
    if resource["resourceType"] == "Goal":
        named |= {reference_to(plan) for plan in search_all(tx, "CarePlan", [("goal", reference_to(resource))])}
    if resource["resourceType"] == "Appointment":
        named |= {reference_to(task) for task in search_all(tx, "Task", [("focus", reference_to(resource))])}
    return {parts(reference) for reference in named}

"""A quarantined input, tried again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from fhir_adapters.store.outbox import OUTBOX
from fhir_adapters.store.quarantine import QuarantineEntry
from fhir_adapters.store.sql_transaction import SqlTransaction
from pathway.due_kinds import FAILED, UNKNOWN, key_of_entry
from pathway.errors import Conflict, NotFound, Refused
from pathway.ports import Quarantined, Resource, Transaction
from service.admin.access import ACTOR
from service.admin.models import Quarantined as Shown
from service.admin.models import Retried
from service.bootstrap import Services

_FOR_A_PERSON = frozenset({"changed-on-both-sides", "key-unknown"})


class _Noting:
    """The transaction it stands for, taking note of what is put aside in it."""

    def __init__(self, tx: SqlTransaction) -> None:
        self._tx = tx
        self.aside: list[Quarantined] = []

    def quarantine(self, entry: Quarantined) -> None:
        self.aside.append(entry)
        self._tx.quarantine(entry)

    def report(self, reference: str, reason: str, problems: Mapping[str, str]) -> None:
        self.aside += [Quarantined(reason, text, reference, place) for place, text in problems.items()]
        self._tx.report(reference, reason, problems)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)


def retry_entry(services: Services, hospital: str, id: str) -> Retried:
    """Resolved when nothing had to be put aside this time. Raises NotFound, Conflict, Refused."""
    with services.store.transaction(hospital, actor=ACTOR) as tx:
        entry = tx.quarantined.entry(id)
        if entry.state == "resolved":
            raise Conflict("It is resolved already")
        if entry.reason in _FOR_A_PERSON:
            raise Refused("A person has to look at it and then resolve it: trying again changes nothing")
        tx.audit(ACTOR, "retry", f"quarantine/{id}")
        tx.retry_quarantined(id)
        outcome = _outcome(services, tx, entry)
        return Retried(entry=Shown.model_validate(tx.quarantined.entry(id)), outcome=outcome)


def _outcome(services: Services, tx: SqlTransaction, entry: QuarantineEntry) -> str:
    if entry.reason == OUTBOX:
        return "It is queued to be sent again"
    if entry.reason in (UNKNOWN, FAILED):
        if not tx.due.reopen(key_of_entry(entry.version)):
            raise Conflict("It is not put aside any more: it was planned anew or called off")
        tx.quarantined.resolve(entry.id)
        return "It is due again, and is resolved: should it fail once more, there is a new entry"
    return _again(services, tx, entry)


def _again(services: Services, tx: SqlTransaction, entry: QuarantineEntry) -> str:
    noting = _Noting(tx)
    services.react(tx.hospital, cast("Transaction", noting), _stored(tx, entry.reference))
    if noting.aside:
        return f"It was put aside again: {'; '.join(each.explanation for each in noting.aside)}"
    tx.quarantined.resolve(entry.id)
    return "It was acted on, and is resolved"


def _stored(tx: SqlTransaction, reference: str) -> Resource:
    type, slash, id = reference.partition("/")
    if not slash:
        raise Refused("It refers to no resource: a person has to look at it and then resolve it")
    try:
        return tx.read(type, id)
    except NotFound as error:
        raise Refused(f"{reference} is not here any more: a person has to look at it and then resolve it") from error

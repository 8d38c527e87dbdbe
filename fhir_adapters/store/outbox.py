"""What should exist at the hospital: the newest version of a resource wins, and not knowing is a state of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, delete, insert, or_, select, true, update

from fhir_adapters.store import columns as c
from fhir_adapters.store.links import Link, Links
from fhir_adapters.store.quarantine import QuarantineLedger
from pathway.ports import Quarantined

OutboxState = Literal["waiting", "sending", "unknown", "quarantined", "done"]
OUTBOX = "outbox"  # the reason in quarantine of what a hospital does not take
_out = c.outbox.c
_FREE = {"lease_until": None, "token": None}


@dataclass(frozen=True)
class OutboxEntry:
    """One resource of ours and how far the hospital is behind; times are of the wire clock.

    `attempt` counts every try, `failures` those that the hospital answered with an error of its own.
    """

    type: str
    id: str
    wanted_version: int
    state: OutboxState
    attempt: int
    failures: int
    next_at: datetime
    last_error: str | None
    queued_at: datetime

    @property
    def reference(self) -> str:
        return f"{self.type}/{self.id}"


@dataclass(frozen=True)
class OutboxClaim:
    """An entry held by one worker; `uncertain` when an earlier attempt may have reached the hospital."""

    hospital: str
    type: str
    id: str
    wanted_version: int
    attempt: int
    failures: int
    uncertain: bool
    token: str
    lease_until: datetime

    @property
    def reference(self) -> str:
        return f"{self.type}/{self.id}"


_ENTRY = [_out[name] for name in OutboxEntry.__dataclass_fields__]
_ONE = select(*_ENTRY).where(*(_out[name] == bindparam(f"its_{name}") for name in ("hospital", "type", "id")))
_WANT = insert(c.outbox)


class Outbox:
    """The outbox of one hospital, on one connection."""

    def __init__(self, connection: Connection, hospital: str, now: datetime) -> None:
        self._connection = connection
        self._hospital = hospital
        self._now = now

    def entry(self, type: str, id: str) -> OutboxEntry | None:
        its = {"its_hospital": self._hospital, "its_type": type, "its_id": id}
        row = self._connection.execute(_ONE, its).one_or_none()
        return OutboxEntry(*row) if row is not None else None

    def entries(self, state: OutboxState | None = None) -> Sequence[OutboxEntry]:
        """Oldest first."""
        where = and_(_out.hospital == self._hospital, _out.state == state if state else true())
        query = select(*_ENTRY).where(where).order_by(_out.queued_at, _out.type, _out.id)
        return [OutboxEntry(*row) for row in self._connection.execute(query)]

    def want(self, type: str, id: str, version: int) -> None:
        """Ask for this version; does nothing when it is asked for, or there, already."""
        known = self.entry(type, id)
        if known is None:
            row = {"hospital": self._hospital, "type": type, "id": id, "wanted_version": version, "state": "waiting"}
            self._connection.execute(_WANT, row | {"next_at": self._now, "queued_at": self._now})
        elif known.wanted_version != version:
            again = {
                "state": "waiting",
                "attempt": 0,
                "failures": 0,
                "next_at": self._now,
                "queued_at": self._now,
                "last_error": None,
            }
            changed = again if known.state in ("done", "quarantined") else {}
            self._set(type, id, wanted_version=version, **changed)

    def claim(self, limit: int, lease: timedelta) -> Sequence[OutboxClaim]:
        """Take entries whose time has come and which nobody holds, oldest first."""
        ready = and_(_out.state.in_(("waiting", "unknown")), _out.next_at <= self._now)
        abandoned = and_(_out.state == "sending", _out.lease_until < self._now)
        query = select(*_ENTRY).where(_out.hospital == self._hospital, or_(ready, abandoned))
        query = query.order_by(_out.queued_at, _out.type, _out.id).limit(limit).with_for_update(skip_locked=True)
        until = self._now + lease
        claims = []
        for entry in [OutboxEntry(*row) for row in self._connection.execute(query)]:
            token, attempt = uuid4().hex, entry.attempt + 1
            self._set(entry.type, entry.id, state="sending", attempt=attempt, token=token, lease_until=until)
            uncertain = entry.state != "waiting"
            same = (self._hospital, entry.type, entry.id, entry.wanted_version)
            claims.append(OutboxClaim(*same, attempt, entry.failures, uncertain, token, until))
        return claims

    def hold(self, claim: OutboxClaim, lease: timedelta) -> bool:
        """Keep it for another `lease` from now; False when somebody else has it."""
        kept = update(c.outbox).where(self._held(claim)).values(lease_until=self._now + lease)
        return self._connection.execute(kept).rowcount == 1

    def finish(self, claim: OutboxClaim, link: Link) -> bool:
        """The hospital has `link.sent_version`; a newer one that was asked for meanwhile waits. False: superseded."""
        entry = self.entry(claim.type, claim.id)
        behind = entry is not None and entry.wanted_version > link.sent_version
        if not self._close(
            claim, state="waiting" if behind else "done", attempt=0, failures=0, next_at=self._now, last_error=None
        ):
            return False
        Links(self._connection, self._hospital).save(link)
        QuarantineLedger(self._connection, self._hospital, self._now).settle(claim.reference, OUTBOX)
        return True

    def retry(self, claim: OutboxClaim, next_at: datetime, error: str) -> bool:
        """The hospital did not act on it: try again. An uncertain claim stays uncertain."""
        return self._close(claim, state="unknown" if claim.uncertain else "waiting", next_at=next_at, last_error=error)

    def mark_unknown(self, claim: OutboxClaim, next_at: datetime, error: str, *, failed: bool = False) -> bool:
        """The hospital may have acted on it: look there before writing again. `failed`: it answered with an error."""
        failures = claim.failures + failed
        return self._close(claim, state="unknown", next_at=next_at, last_error=error, failures=failures)

    def quarantine(self, claim: OutboxClaim, outcome: str) -> bool:
        """The hospital will never take it as it is: kept until a person, or a new version, moves it."""
        if not self._close(claim, state="quarantined", last_error=outcome):
            return False
        entry = Quarantined(OUTBOX, outcome, claim.reference, str(claim.wanted_version))
        QuarantineLedger(self._connection, self._hospital, self._now).add(entry)
        return True

    def drop(self, claim: OutboxClaim) -> bool:
        """The hospital has no place for it: it stays here, and nobody is told."""
        return self._connection.execute(delete(c.outbox).where(self._held(claim))).rowcount == 1

    def requeue(self, type: str, id: str) -> bool:
        """A person asks to try again; whether there was anything to try."""
        where = and_(self._is(type, id), _out.state.in_(("quarantined", "waiting", "unknown")))
        state = case((_out.state == "quarantined", "waiting"), else_=_out.state)
        changed = update(c.outbox).where(where).values(state=state, attempt=0, failures=0, next_at=self._now)
        return self._connection.execute(changed).rowcount == 1

    def again(self, type: str, id: str) -> None:
        """Send it once more though its version is there: what it may show the hospital has grown."""
        done = and_(self._is(type, id), _out.state == "done")
        row = {"state": "waiting", "attempt": 0, "failures": 0, "next_at": self._now, "queued_at": self._now}
        self._connection.execute(update(c.outbox).where(done).values(**row))

    def _close(self, claim: OutboxClaim, **values: Any) -> bool:
        return (
            self._connection.execute(update(c.outbox).where(self._held(claim)).values(**_FREE, **values)).rowcount == 1
        )

    def _held(self, claim: OutboxClaim) -> ColumnElement[bool]:
        return and_(self._is(claim.type, claim.id), _out.token == claim.token, _out.state == "sending")

    def _set(self, type: str, id: str, **values: Any) -> None:
        self._connection.execute(update(c.outbox).where(self._is(type, id)).values(**values))

    def _is(self, type: str, id: str) -> ColumnElement[bool]:
        return and_(_out.hospital == self._hospital, _out.type == type, _out.id == id)

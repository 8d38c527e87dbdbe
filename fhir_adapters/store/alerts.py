"""Calls to people, repeated until one of them acknowledges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, and_, select, true, update

from fhir_adapters.store import columns as c
from fhir_adapters.store.upsert import insert_once
from pathway.errors import NotFound
from pathway.ports import Alert

_alert = c.alert.c
_UNANSWERED = ("waiting", "sent")


@dataclass(frozen=True)
class AlertEntry:
    """An alert and what became of it; times are of the wire clock."""

    id: str
    code: str
    priority: Literal["urgent", "stat"]
    task: str
    state: Literal["waiting", "sent", "acknowledged"]
    attempt: int
    raised_at: datetime
    next_at: datetime
    sent_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None

    def as_alert(self) -> Alert:
        return Alert(self.code, self.priority, self.task)


_ENTRY = [_alert[name] for name in AlertEntry.__dataclass_fields__]


class Alerts:
    """The alerts of one hospital, on one connection."""

    def __init__(self, connection: Connection, hospital: str, now: datetime) -> None:
        self._connection = connection
        self._hospital = hospital
        self._now = now

    def add(self, alert: Alert) -> None:
        """Once per Task."""
        row: dict[str, Any] = {
            "hospital": self._hospital,
            "id": str(uuid4()),
            "code": alert.code,
            "priority": alert.priority,
        }
        row |= {"task": alert.task, "state": "waiting", "attempt": 0, "raised_at": self._now, "next_at": self._now}
        insert_once(self._connection, c.alert, row)

    def entries(self, *, unanswered_only: bool = False) -> Sequence[AlertEntry]:
        """In the order of their next attempt."""
        where = and_(_alert.hospital == self._hospital, _alert.state.in_(_UNANSWERED) if unanswered_only else true())
        return self._read(where)

    def entry(self, id: str) -> AlertEntry:
        """Raises NotFound."""
        found = self._read(self._is(id))
        if not found:
            raise NotFound(f"There is no alert {id}")
        return found[0]

    def claim(self, limit: int, lease: timedelta) -> Sequence[AlertEntry]:
        """Unacknowledged alerts whose time has come; nobody else gets them for the length of the lease."""
        where = and_(_alert.hospital == self._hospital, _alert.state.in_(_UNANSWERED), _alert.next_at <= self._now)
        claimed = []
        for entry in self._read(where, limit, lock=True):
            self._change(entry.id, next_at=self._now + lease, attempt=entry.attempt + 1)
            claimed.append(self.entry(entry.id))
        return claimed

    def sent(self, id: str) -> None:
        """Somebody was called. Raises NotFound."""
        if self.entry(id).state != "acknowledged":
            self._change(id, state="sent", sent_at=self._now)

    def wait(self, id: str, next_at: datetime) -> None:
        """Nobody has to be called before `next_at`. Raises NotFound."""
        self._change(id, next_at=next_at)

    def look_again(self) -> None:
        """Whoever is to be called about an open alert is worked out anew."""
        where = and_(_alert.hospital == self._hospital, _alert.state.in_(_UNANSWERED))
        self._connection.execute(update(c.alert).where(where).values(next_at=self._now))

    def acknowledge(self, id: str, by: str) -> AlertEntry:
        """The first to acknowledge is kept. Raises NotFound."""
        if self.entry(id).state != "acknowledged":
            self._change(id, state="acknowledged", acknowledged_at=self._now, acknowledged_by=by)
        return self.entry(id)

    def _read(
        self, where: ColumnElement[bool], limit: int | None = None, *, lock: bool = False
    ) -> Sequence[AlertEntry]:
        query = select(*_ENTRY).where(where).order_by(_alert.next_at, _alert.id).limit(limit)
        query = query.with_for_update(skip_locked=True) if lock else query
        return [AlertEntry(*row) for row in self._connection.execute(query)]

    def _change(self, id: str, **values: Any) -> None:
        if self._connection.execute(update(c.alert).where(self._is(id)).values(**values)).rowcount != 1:
            raise NotFound(f"There is no alert {id}")

    def _is(self, id: str) -> ColumnElement[bool]:
        return and_(_alert.hospital == self._hospital, _alert.id == id)

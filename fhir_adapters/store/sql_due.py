"""The due table in SQL: claims carry a lease, and every effect is fenced by generation and token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
from sqlalchemy import Connection, Row, bindparam, func, or_, select, update

from fhir_adapters.store import columns as c
from fhir_adapters.store.replan import replanned
from fhir_adapters.store.times import UtcDateTime
from fhir_adapters.store.upsert import upsert
from pathway.ports import OPEN, Claim, DueState, DueWork

_due = c.due.c
_FIELDS = [field.name for field in fields(DueWork)]
_COLUMNS = [_due[name] for name in _FIELDS]
_FREE = {"token": None, "lease_until": None}

_OF_PLAN = select(*_COLUMNS).where(_due.hospital == bindparam("its"), _due.care_plan == bindparam("plan"))
_OF_PLAN = _OF_PLAN.order_by(_due.due_at, _due.key)
_ONE = select(*_COLUMNS).where(_due.hospital == bindparam("its"), _due.key == bindparam("its_key"))
_CHANGE = update(c.due).where(_due.hospital == bindparam("its"), _due.key == bindparam("its_key"))
_CANCEL = _CHANGE.where(_due.state.in_(OPEN)).values(state="cancelled", last_error=bindparam("why_not"), **_FREE)
_CLAIM = _CHANGE.values(
    state="claimed", lease_until=bindparam("until"), token=bindparam("its_token"), attempt=_due.attempt + 1
)
_CLOSE = _CHANGE.where(
    _due.generation == bindparam("its_generation"), _due.token == bindparam("its_token"), _due.state == "claimed"
).values(
    state=bindparam("new_state"),
    last_error=bindparam("error"),
    next_at=func.coalesce(bindparam("again_at", type_=UtcDateTime), _due.next_at),
    released_at=bindparam("released", type_=UtcDateTime),
    **_FREE,
)


class SqlDueStore:
    """Implements `DueStore` on one connection."""

    def __init__(self, connection: Connection, hospital: str) -> None:
        self._connection = connection
        self._hospital = hospital

    def of_plan(self, care_plan: str) -> Sequence[DueWork]:
        rows = self._connection.execute(_OF_PLAN, {"its": self._hospital, "plan": care_plan})
        return [_work(row) for row in rows]

    def plan(self, work: DueWork) -> None:
        row = self._connection.execute(_ONE, {"its": self._hospital, "its_key": work.key}).one_or_none()
        new = replanned(_work(row) if row is not None else None, work)
        if new is not None:
            values = vars(new) | {"payload": msgspec.json.encode(new.payload, order="deterministic").decode()}
            upsert(self._connection, c.due, values | _FREE | {"hospital": self._hospital, "next_at": new.due_at})

    def cancel(self, key: str, why: str) -> None:
        self._connection.execute(_CANCEL, {"its": self._hospital, "its_key": key, "why_not": why})

    def finish(self, claim: Claim, state: DueState, error: str | None = None, *, at: datetime | None = None) -> bool:
        return self._close(claim, state, error, None, at)

    def retry(self, claim: Claim, due_at: datetime, error: str) -> bool:
        return self._close(claim, "scheduled", error, due_at, None)

    def fell_due(self, since: datetime, until: datetime) -> Sequence[DueWork]:
        """What was due from `since` to before `until` (clinical), of every plan, oldest first."""
        query = select(*_COLUMNS).where(_due.hospital == self._hospital, _due.due_at >= since, _due.due_at < until)
        return [_work(row) for row in self._connection.execute(query.order_by(_due.due_at, _due.key))]

    def claim(self, clinical_now: datetime, wire_now: datetime, limit: int, lease: timedelta) -> Sequence[Claim]:
        """Take open work due at `clinical_now` that nobody holds at `wire_now`, oldest first."""
        free = or_(_due.state == "scheduled", _due.lease_until < wire_now)
        query = select(*_COLUMNS).where(_due.hospital == self._hospital, _due.state.in_(OPEN))
        query = query.where(_due.next_at <= clinical_now, free).order_by(_due.next_at, _due.key).limit(limit)
        found = [_work(row) for row in self._connection.execute(query.with_for_update(skip_locked=True))]
        until = wire_now + lease
        claims = [
            Claim(self._hospital, replace(work, state="claimed", attempt=work.attempt + 1), uuid4().hex, until)
            for work in found
        ]
        if claims:
            same = {"its": self._hospital, "until": until}
            rows = [same | {"its_key": claim.work.key, "its_token": claim.token} for claim in claims]
            self._connection.execute(_CLAIM, rows)
        return claims

    def _close(
        self,
        claim: Claim,
        state: DueState,
        error: str | None,
        again_at: datetime | None,
        released: datetime | None,
    ) -> bool:
        held = {"its": self._hospital, "its_key": claim.work.key, "its_token": claim.token}
        new = {"its_generation": claim.work.generation, "new_state": state, "error": error, "again_at": again_at}
        new |= {"released": released}
        return self._connection.execute(_CLOSE, held | new).rowcount == 1


def _work(row: Row[*tuple[Any, ...]]) -> DueWork:
    values = row._asdict()
    return DueWork(**{**values, "payload": msgspec.json.decode(values["payload"])})

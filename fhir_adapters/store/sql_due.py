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
from pathway.due_work import LONGEST_LEASE, OPEN, Claim, DueState, DueWork

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
_REOPEN = _CHANGE.where(_due.state == "quarantined").values(
    state="scheduled", generation=_due.generation + 1, attempt=0, **_FREE
)
_PUT_ASIDE = select(*_COLUMNS).where(_due.hospital == bindparam("its"), _due.state == "quarantined")
_PUT_ASIDE = _PUT_ASIDE.order_by(_due.due_at, _due.key)
IS_OPEN = _due.state.in_(bindparam("open", OPEN, expanding=True, literal_execute=True))  # as the index has it
_OPEN_OF = (_due.hospital == bindparam("its"), IS_OPEN)
_HELD = select(func.count()).where(
    *_OPEN_OF, _due.state == "claimed", _due.lease_until.between(bindparam("low"), bindparam("high"))
)
_BATCH = select(*_COLUMNS, _due.lease_until).where(
    *_OPEN_OF, _due.state == "claimed", _due.token == bindparam("its_token")
)
_BATCH = _BATCH.order_by(_due.next_at, _due.key)
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

    def put_aside(self) -> Sequence[DueWork]:
        return [_work(row) for row in self._connection.execute(_PUT_ASIDE, {"its": self._hospital})]

    def reopen(self, key: str) -> bool:
        return self._connection.execute(_REOPEN, {"its": self._hospital, "its_key": key}).rowcount == 1

    def claim(self, clinical_now: datetime, wire_now: datetime, limit: int, lease: timedelta) -> Sequence[Claim]:
        """Take open work due at `clinical_now` that nobody holds at `wire_now`, oldest first."""
        until = wire_now + lease
        free = or_(_due.state == "scheduled", ~_due.lease_until.between(wire_now, wire_now + LONGEST_LEASE))
        query = select(*_COLUMNS).where(_due.hospital == self._hospital, IS_OPEN)
        query = query.where(_due.next_at <= clinical_now, free).order_by(_due.next_at, _due.key).limit(limit)
        found = [_work(row) for row in self._connection.execute(query.with_for_update(skip_locked=True))]
        token = uuid4().hex
        if found:
            same = {"its": self._hospital, "until": until, "its_token": token}
            self._connection.execute(_CLAIM, [same | {"its_key": work.key} for work in found])
        held = [replace(work, state="claimed", attempt=work.attempt + 1) for work in found]
        return [Claim(self._hospital, work, token, until) for work in held]

    def claimed(self, token: str) -> Sequence[Claim]:
        """What is still held under a token, oldest first."""
        rows = self._connection.execute(_BATCH, {"its": self._hospital, "its_token": token})
        return [Claim(self._hospital, _work(row), token, row.lease_until) for row in rows]

    def held(self, wire_now: datetime) -> int:
        its = {"its": self._hospital, "low": wire_now, "high": wire_now + LONGEST_LEASE}
        return self._connection.scalar(_HELD, its) or 0

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
    values = {name: getattr(row, name) for name in _FIELDS}
    return DueWork(**{**values, "payload": msgspec.json.decode(values["payload"])})

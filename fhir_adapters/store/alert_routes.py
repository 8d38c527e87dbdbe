"""The ways to people: what became of every call, and which routes a person has confirmed.

A route is known by an id made of its address, which is kept nowhere here: another address is another route.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from fhir_adapters.store import columns as c
from fhir_adapters.store.upsert import upsert

_call, _route = c.alert_call.c, c.alert_route.c


@dataclass(frozen=True)
class AlertCall:
    """An attempt to call somebody at `at` (wire clock); `alert` is empty for a test. `outcome` names no address."""

    alert: str
    route: str
    step: str
    at: datetime
    delivered: bool
    outcome: str


@dataclass(frozen=True)
class Confirmation:
    """How far a route is confirmed; `code_hash` is that of the newest test until it is used or used up."""

    route: str
    code_hash: str | None = None
    code_expires_at: datetime | None = None
    wrong_codes: int = 0
    confirmed_at: datetime | None = None


_CALL = [_call[name] for name in AlertCall.__dataclass_fields__]
_CONFIRMATION = [_route[name] for name in Confirmation.__dataclass_fields__]


class AlertRoutes:
    """The calls and confirmations of one hospital, on one connection."""

    def __init__(self, connection: Connection, hospital: str) -> None:
        self._connection = connection
        self._hospital = hospital

    def record(self, call: AlertCall) -> None:
        self._connection.execute(insert(c.alert_call).values(hospital=self._hospital, **vars(call)))

    def calls(self, alert: str) -> Sequence[AlertCall]:
        """All for one alert, oldest first."""
        where = and_(_call.hospital == self._hospital, _call.alert == alert)
        query = select(*_CALL).where(where).order_by(_call.seq)
        return [AlertCall(*row) for row in self._connection.execute(query)]

    def newest_call(self, route: str) -> AlertCall | None:
        """Test or alert."""
        where = and_(_call.hospital == self._hospital, _call.route == route)
        row = self._connection.execute(select(*_CALL).where(where).order_by(_call.seq.desc()).limit(1)).one_or_none()
        return AlertCall(*row) if row else None

    def confirmation(self, route: str) -> Confirmation:
        """An empty one where nothing was tested yet."""
        row = self._connection.execute(select(*_CONFIRMATION).where(self._is(route))).one_or_none()
        return Confirmation(*row) if row else Confirmation(route)

    def confirmed(self) -> frozenset[str]:
        """The routes that a person confirmed."""
        where = and_(_route.hospital == self._hospital, _route.confirmed_at.is_not(None))
        return frozenset(self._connection.scalars(select(_route.route).where(where)))

    def tested(self, route: str, code_hash: str, expires_at: datetime) -> None:
        """A code is on its way; an earlier one is void, an earlier confirmation stays."""
        row: dict[str, Any] = {"hospital": self._hospital, "route": route, "code_hash": code_hash}
        upsert(self._connection, c.alert_route, row | {"code_expires_at": expires_at, "wrong_codes": 0})

    def wrong_code(self, route: str) -> None:
        self._change(route, wrong_codes=_route.wrong_codes + 1)

    def confirm(self, route: str, at: datetime) -> None:
        """The code is used up."""
        self._change(route, code_hash=None, code_expires_at=None, wrong_codes=0, confirmed_at=at)

    def keep_only(self, routes: Collection[str]) -> None:
        """Whoever is no longer called has to confirm again before being relied on."""
        where = and_(_route.hospital == self._hospital, _route.route.not_in(routes))
        self._connection.execute(delete(c.alert_route).where(where))

    def _change(self, route: str, **values: Any) -> None:
        self._connection.execute(update(c.alert_route).where(self._is(route)).values(**values))

    def _is(self, route: str) -> ColumnElement[bool]:
        return and_(_route.hospital == self._hospital, _route.route == route)

"""The versions of one hospital's resources in SQL, with their search values, keys and audit.

Statements are built once: on these paths building them costs more than running them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, bindparam, delete, func, insert, literal, select

from fhir_adapters.store import columns as c
from fhir_adapters.store.indexing import indexed
from fhir_adapters.store.rows import Audited, Received, Version
from fhir_adapters.store.upsert import upsert
from pathway.ports import Key, Resource

_NAMES = ("type", "id", "version", "last_updated", "content", "deleted")


def _is(table: Table, *names: str) -> ColumnElement[bool]:
    return and_(*(table.c[name] == bindparam(f"its_{name}", type_=table.c[name].type) for name in ("hospital", *names)))


_CURRENT = select(*(c.resource.c[name] for name in _NAMES), literal("").label("source"))
_CURRENT = _CURRENT.where(_is(c.resource, "type", "id"))
_HISTORY = select(*(c.resource_version.c[name] for name in _NAMES), c.resource_version.c.source)
_HISTORY = _HISTORY.where(_is(c.resource_version, "type", "id")).order_by(c.resource_version.c.version.desc())
_VERSION = _HISTORY.where(c.resource_version.c.version == bindparam("its_version"))
_NEWEST = select(c.resource_version.c.last_updated).where(_is(c.resource_version))
_NEWEST = _NEWEST.order_by(c.resource_version.c.seq.desc()).limit(1)
_NEWEST_OF_TYPE = select(func.max(c.resource.c.seq)).where(_is(c.resource, "type"))
_ADD_VERSION = insert(c.resource_version).returning(c.resource_version.c.seq)
_ADD_VALUES = insert(c.search_value)
_DROP_VALUES = delete(c.search_value).where(_is(c.search_value, "type", "id"))
_OWNER = select(c.identity.c.id).where(_is(c.identity, "type", "system", "value"))
_OWN = insert(c.identity)
_DISOWN = delete(c.identity).where(_is(c.identity, "type", "id"))
_CARRIERS = select(c.search_value.c.id).where(_is(c.search_value, "type", "system", "value")).distinct()
_CARRIERS = _CARRIERS.where(c.search_value.c.param == "identifier", c.search_value.c.kind == "token")
_RECEIVED = select(c.received.c.their_version, c.received.c.hash).where(_is(c.received, "type", "id"))
_RECORD = insert(c.audit)


class SqlResources:
    """Implements `Rows` on one connection."""

    def __init__(self, connection: Connection, hospital: str, base_url: str) -> None:
        self._connection = connection
        self._hospital = hospital
        self._base_url = base_url
        self._newest: datetime | None = None

    def current(self, type: str, id: str) -> Version | None:
        row = self._connection.execute(_CURRENT, self._its(type=type, id=id)).one_or_none()
        return _version(row) if row is not None else None

    def version(self, type: str, id: str, version: int) -> Version | None:
        row = self._connection.execute(_VERSION, self._its(type=type, id=id, version=version)).one_or_none()
        return _version(row) if row is not None else None

    def versions(self, type: str, id: str) -> Sequence[Version]:
        return [_version(row) for row in self._connection.execute(_HISTORY, self._its(type=type, id=id))]

    def newest(self) -> datetime | None:
        if self._newest is None:
            self._newest = self._connection.scalar(_NEWEST, self._its())
        return self._newest

    def newest_change(self, type: str) -> int:
        """The number of the newest change to a resource of a type, higher for each; 0 without any."""
        return self._connection.scalar(_NEWEST_OF_TYPE, self._its(type=type)) or 0

    def append(self, version: Version, resource: Resource) -> None:
        row = {"hospital": self._hospital, **{name: getattr(version, name) for name in _NAMES}}
        seq = self._connection.execute(_ADD_VERSION, row | {"source": version.source}).scalar_one()
        upsert(self._connection, c.resource, row | {"seq": seq})
        if version.version > 1:
            self._connection.execute(_DROP_VALUES, self._its(type=version.type, id=version.id))
        found = [] if version.deleted else indexed(resource, self._base_url)
        same = {"hospital": self._hospital, "type": version.type, "id": version.id}
        if found:
            self._connection.execute(_ADD_VALUES, [same | {"position": n} | vars(one) for n, one in enumerate(found)])
        self._newest = version.last_updated

    def owner(self, type: str, key: Key) -> str | None:
        return self._connection.scalar(_OWNER, self._its(type=type, system=key.system, value=key.value))

    def own(self, type: str, key: Key, id: str) -> None:
        row = {"hospital": self._hospital, "type": type, "system": key.system, "value": key.value, "id": id}
        self._connection.execute(_OWN, row)

    def disown(self, type: str, id: str) -> None:
        self._connection.execute(_DISOWN, self._its(type=type, id=id))

    def carriers(self, type: str, key: Key) -> Sequence[str]:
        return list(self._connection.scalars(_CARRIERS, self._its(type=type, system=key.system, value=key.value)))

    def received(self, type: str, id: str) -> Received | None:
        row = self._connection.execute(_RECEIVED, self._its(type=type, id=id)).one_or_none()
        return Received(*row) if row is not None else None

    def remember(self, type: str, id: str, received: Received) -> None:
        row = {"hospital": self._hospital, "type": type, "id": id}
        upsert(self._connection, c.received, row | {"their_version": received.their_version, "hash": received.hash})

    def record(self, entry: Audited) -> None:
        self._connection.execute(_RECORD, {"hospital": self._hospital, **vars(entry)})

    def _its(self, **values: Any) -> dict[str, Any]:
        return {f"its_{name}": value for name, value in (("hospital", self._hospital), *values.items())}


def _version(row: Row[*tuple[Any, ...]]) -> Version:
    return Version(**row._asdict())

"""Our resources and the hospital's copies of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, select, true

from fhir_adapters.store import columns as c
from fhir_adapters.store.content import decode, encode
from fhir_adapters.store.upsert import upsert
from pathway.ports import Resource

_link = c.link.c


@dataclass(frozen=True)
class Link:
    """`base` is the copy as both sides last agreed on it, in the hospital's ids; `sent_version` our version of it."""

    type: str
    id: str
    their_id: str
    their_version: str | None
    base: Resource
    sent_version: int

    @property
    def reference(self) -> str:
        return f"{self.type}/{self.id}"

    @property
    def their_reference(self) -> str:
        return f"{self.type}/{self.their_id}"


class Links:
    """The links of one hospital, on one connection."""

    def __init__(self, connection: Connection, hospital: str) -> None:
        self._connection = connection
        self._hospital = hospital
        self._known: dict[tuple[str, str], str | None] = {}

    def of(self, type: str, id: str) -> Link | None:
        """By our id."""
        return self._one(and_(_link.type == type, _link.id == id))

    def by_theirs(self, type: str, their_id: str) -> Link | None:
        """By the hospital's id."""
        return self._one(and_(_link.type == type, _link.their_id == their_id))

    def our_reference(self, type: str, their_id: str) -> str | None:
        """Our resource that the hospital knows by `their_id`; asked again and again within a transaction."""
        asked = (type, their_id)
        if asked not in self._known:
            its = {"its_hospital": self._hospital, "its_type": type, "its_id": their_id}
            id = self._connection.scalar(_OUR_ID, its)
            self._known[asked] = f"{type}/{id}" if id is not None else None
        return self._known[asked]

    def all(self, type: str | None = None) -> Sequence[Link]:
        """All links, or those of one type."""
        where = and_(_link.hospital == self._hospital, _link.type == type if type else true())
        rows = self._connection.execute(select(*_COLUMNS).where(where).order_by(_link.type, _link.id))
        return [_read(*row) for row in rows]

    def save(self, link: Link) -> None:
        """Insert the link, or replace that of the same resource of ours."""
        self._known.clear()
        row = {name: getattr(link, name) for name in _NAMES} | {"hospital": self._hospital}
        upsert(self._connection, c.link, row | {"base": encode(link.base)})

    def _one(self, where: ColumnElement[bool]) -> Link | None:
        row = self._connection.execute(select(*_COLUMNS).where(_link.hospital == self._hospital, where)).one_or_none()
        return _read(*row) if row is not None else None


_NAMES = ("type", "id", "their_id", "their_version", "base", "sent_version")
_OUR_ID = select(_link.id).where(
    _link.hospital == bindparam("its_hospital"),
    _link.type == bindparam("its_type"),
    _link.their_id == bindparam("its_id"),
)
_COLUMNS = [_link[name] for name in _NAMES]


def _read(type: str, id: str, their_id: str, their_version: str | None, base: str, *rest: Any) -> Link:
    return Link(type, id, their_id, their_version, decode(base), *rest)

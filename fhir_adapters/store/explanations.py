"""Why a CarePlan was as it was, each time the reasons changed: compressed, numbered, never overwritten."""

from __future__ import annotations

import zlib
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select

from fhir_adapters.store import columns as c
from fhir_adapters.store.content import decode, encode
from pathway.ports import Kept

_explanation = c.explanation.c
_NEWEST = (
    select(c.explanation)
    .where(_explanation.hospital == bindparam("its"), _explanation.care_plan == bindparam("plan"))
    .order_by(_explanation.number.desc())
    .limit(1)
)
_NEWEST_OF_VERSION = _NEWEST.where(_explanation.version <= bindparam("at_most"))
_KEEP = insert(c.explanation)


class SqlExplanationStore:
    """Implements `ExplanationStore` on one connection."""

    def __init__(self, connection: Connection, hospital: str) -> None:
        self._connection = connection
        self._hospital = hospital

    def keep(self, care_plan: str, new: Kept) -> bool:
        newest, text = self._newest(care_plan, None), encode(new.body).encode()
        if newest is not None and zlib.decompress(newest.body) == text:
            return False
        number = newest.number + 1 if newest is not None else 1
        key = {"hospital": self._hospital, "care_plan": care_plan, "number": number}
        self._connection.execute(_KEEP, vars(new) | key | {"body": zlib.compress(text)})
        return True

    def of(self, care_plan: str, version: int | None = None) -> Kept | None:
        row = self._newest(care_plan, version)
        if row is None:
            return None
        body = decode(zlib.decompress(row.body).decode())
        return Kept(row.version, row.recorded, row.clinical, row.cause, body, row.author)

    def _newest(self, care_plan: str, version: int | None) -> Row[*tuple[Any, ...]] | None:
        names: dict[str, Any] = {"its": self._hospital, "plan": care_plan}
        if version is None:
            return self._connection.execute(_NEWEST, names).one_or_none()
        return self._connection.execute(_NEWEST_OF_VERSION, names | {"at_most": version}).one_or_none()

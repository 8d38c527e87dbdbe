"""Up to when a hospital's resources were pulled, by the hospital's own clock."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from fhir_adapters.store import columns as c
from fhir_adapters.store.upsert import upsert


class Cursors:
    """The cursors of one hospital, on one connection."""

    def __init__(self, connection: Connection, hospital: str) -> None:
        self._connection = connection
        self._hospital = hospital

    def since(self, type: str) -> datetime | None:
        """None when the type was never pulled."""
        where = (c.cursor.c.hospital == self._hospital, c.cursor.c.type == type)
        return self._connection.scalar(select(c.cursor.c.since).where(*where))

    def save(self, type: str, since: datetime) -> None:
        upsert(self._connection, c.cursor, {"hospital": self._hospital, "type": type, "since": since})

"""Who may read a hospital's visits as a calendar: tokens by their hashes, revoked and never deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, and_, insert, or_, select, update

from fhir_adapters.store import columns as c
from pathway.errors import NotFound

CLINIC = "clinic"  # the scope of all visits of a hospital
COARSE = timedelta(hours=1)  # how often it is noted that a feed is read
_token = c.feed_token.c


@dataclass(frozen=True)
class FeedToken:
    """A feed of the visits in `scope`: CLINIC, or the reference of somebody who takes part in them."""

    hospital: str
    id: str
    label: str
    scope: str
    created_at: datetime
    created_by: str
    revoked_at: datetime | None
    revoked_by: str | None
    last_used_at: datetime | None


_COLUMNS = [_token[name] for name in FeedToken.__dataclass_fields__]


def opened_by(connection: Connection, token_hash: str) -> FeedToken:
    """One look-up by hash, whatever is wrong with a token. Raises NotFound, also when it was revoked."""
    row = connection.execute(select(*_COLUMNS).where(_token.token_hash == token_hash)).one_or_none()
    if row is None or row.revoked_at is not None:
        raise NotFound("There is no such calendar")
    return FeedToken(*row)


class FeedTokens:
    """The tokens of one hospital, on one connection."""

    def __init__(self, connection: Connection, hospital: str, now: datetime) -> None:
        self._connection = connection
        self._hospital = hospital
        self._now = now

    def add(self, label: str, scope: str, token_hash: str, by: str) -> FeedToken:
        row: dict[str, Any] = {"hospital": self._hospital, "id": str(uuid4()), "label": label, "scope": scope}
        row |= {"token_hash": token_hash, "created_at": self._now, "created_by": by}
        self._connection.execute(insert(c.feed_token).values(row))
        return self.one(row["id"])

    def all(self) -> Sequence[FeedToken]:
        """Oldest first."""
        query = select(*_COLUMNS).where(_token.hospital == self._hospital).order_by(_token.created_at, _token.id)
        return [FeedToken(*row) for row in self._connection.execute(query)]

    def one(self, id: str) -> FeedToken:
        """Raises NotFound."""
        row = self._connection.execute(select(*_COLUMNS).where(self._is(id))).one_or_none()
        if row is None:
            raise NotFound(f"There is no feed {id}")
        return FeedToken(*row)

    def revoke(self, id: str, by: str) -> bool:
        """Whether it was open until now; the first to revoke it is kept. Raises NotFound."""
        self.one(id)
        return self._change(and_(self._is(id), _token.revoked_at.is_(None)), revoked_at=self._now, revoked_by=by)

    def used(self, id: str) -> None:
        """Noted once in `COARSE`: enough to find a feed that nobody reads."""
        long_ago = or_(_token.last_used_at.is_(None), _token.last_used_at <= self._now - COARSE)
        self._change(and_(self._is(id), long_ago), last_used_at=self._now)

    def _change(self, where: ColumnElement[bool], **values: Any) -> bool:
        return self._connection.execute(update(c.feed_token).where(where).values(**values)).rowcount == 1

    def _is(self, id: str) -> ColumnElement[bool]:
        return and_(_token.hospital == self._hospital, _token.id == id)

"""Inputs nobody could act on: kept, explained, and open until somebody resolves them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, and_, select, true, update

from fhir_adapters.store import columns as c
from fhir_adapters.store.upsert import insert_once
from pathway.errors import NotFound
from pathway.ports import NOT_UNDERSTOOD, Quarantined

_kept = c.quarantine.c


@dataclass(frozen=True)
class QuarantineEntry:
    """A quarantined input with its number of retries; `reference` and `version` are empty where there is none.

    `at`: since when it is open.
    """

    id: str
    reason: str
    explanation: str
    reference: str
    version: str
    state: Literal["open", "resolved"]
    at: datetime
    retries: int


_ENTRY = [_kept[name] for name in QuarantineEntry.__dataclass_fields__]


class QuarantineLedger:
    """The quarantine of one hospital, on one connection."""

    def __init__(self, connection: Connection, hospital: str, now: datetime) -> None:
        self._connection = connection
        self._hospital = hospital
        self._now = now

    def add(self, entry: Quarantined) -> None:
        """Once per reference, version and reason: the same again changes nothing."""
        row = {"hospital": self._hospital, "id": str(uuid4()), "reason": entry.reason, "at": self._now}
        row |= {"explanation": entry.explanation, "reference": entry.reference or "", "version": entry.version or ""}
        insert_once(self._connection, c.quarantine, row | {"state": "open", "retries": 0})

    def report(self, reference: str, reason: str, problems: Mapping[str, str]) -> None:
        """The entries follow what is wrong now, by its place: open while it lasts, resolved when it is gone."""
        same = and_(_kept.hospital == self._hospital, _kept.reference == reference, _kept.reason == reason)
        known = {row.version: row for row in self._connection.execute(select(*_ENTRY).where(same))}
        for place, text in problems.items():
            entry = known.get(place)
            if entry is None:
                self.add(Quarantined(reason, text, reference, place))
            elif entry.state != "open":
                self._change(entry.id, state="open", explanation=text, at=self._now)
            elif entry.explanation != text:
                self._change(entry.id, explanation=text)
        for place, entry in known.items():
            if entry.state == "open" and place not in problems:
                self.resolve(entry.id)

    def entries(self, *, open_only: bool = True) -> Sequence[QuarantineEntry]:
        """Oldest first."""
        where = and_(_kept.hospital == self._hospital, _kept.state == "open" if open_only else true())
        query = select(*_ENTRY).where(where).order_by(_kept.at, _kept.id)
        return [QuarantineEntry(*row) for row in self._connection.execute(query)]

    def excluded(self) -> frozenset[tuple[str, str]]:
        """Reference and version of the open entries of what could not be understood."""
        where = and_(_kept.hospital == self._hospital, _kept.state == "open", _kept.reason == NOT_UNDERSTOOD)
        return frozenset(
            (row[0], row[1]) for row in self._connection.execute(select(_kept.reference, _kept.version).where(where))
        )

    def entry(self, id: str) -> QuarantineEntry:
        """Raises NotFound."""
        row = self._connection.execute(select(*_ENTRY).where(self._is(id))).one_or_none()
        if row is None:
            raise NotFound(f"There is no quarantine entry {id}")
        return QuarantineEntry(*row)

    def resolve(self, id: str) -> None:
        """Raises NotFound."""
        self._change(id, state="resolved")

    def settle(self, reference: str, reason: str | None = None, version: str | None = None) -> None:
        """What was put aside (for this reason, in this version) has gone well since."""
        same = [_kept.hospital == self._hospital, _kept.reference == reference, _kept.state == "open"]
        same += [_kept.reason == reason] if reason is not None else []
        same += [_kept.version == version] if version is not None else []
        self._connection.execute(update(c.quarantine).where(*same).values(state="resolved"))

    def retried(self, id: str) -> QuarantineEntry:
        """Count a retry and open the entry again; the caller tries, and resolves it when it went well."""
        self._change(id, state="open", retries=_kept.retries + 1)
        return self.entry(id)

    def _change(self, id: str, **values: Any) -> None:
        if self._connection.execute(update(c.quarantine).where(self._is(id)).values(**values)).rowcount != 1:
            raise NotFound(f"There is no quarantine entry {id}")

    def _is(self, id: str) -> ColumnElement[bool]:
        return and_(_kept.hospital == self._hospital, _kept.id == id)

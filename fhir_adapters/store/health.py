"""What an operator looks at first: heartbeats and times without them, and what waits, hangs or was put aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from sqlalchemy import Connection, Table, func, insert, select

from fhir_adapters.store import columns as c
from fhir_adapters.store import hospitals
from fhir_adapters.store.sql_due import IS_OPEN
from fhir_adapters.store.upsert import upsert


@dataclass(frozen=True)
class Heartbeat:
    """A part of the service that was alive at `at`, and last did what it should at `well_at` (wire clock)."""

    name: str
    at: datetime
    note: str
    well_at: datetime | None


@dataclass(frozen=True)
class Queues:
    """Rows of one hospital by state; `oldest_due` is the time of the longest waiting open due work, `oldest_queued`
    that of the longest waiting outbox entry."""

    due: Mapping[str, int]
    outbox: Mapping[str, int]
    alerts: Mapping[str, int]
    quarantine: Mapping[str, int]
    oldest_due: datetime | None
    oldest_queued: datetime | None


@dataclass(frozen=True)
class Counts(Queues):
    """Also what is stored, by type."""

    resources: Mapping[str, int]


@dataclass(frozen=True)
class Downtime:
    """`began` is the last sign of life before, `ended` the first one after, on the wire clock; and on the clinical one
    as it was set at the end."""

    duty: str
    began: datetime
    ended: datetime
    clinical_began: datetime
    clinical_ended: datetime


_KEEP = insert(c.downtime)
_COLUMNS = [c.downtime.c[field.name] for field in fields(Downtime)]


def notice(connection: Connection, name: str, now: datetime, longest: timedelta) -> None:
    """Keep the time since the last sign of life of `<hospital>.<duty>`, if too long; before the next is written."""
    hospital, _, duty = name.rpartition(".")
    last = connection.scalar(select(c.heartbeat.c.at).where(c.heartbeat.c.name == name))
    if last is None or now - last <= longest:
        return
    ahead = hospitals.hospital(connection, hospital).clinical_offset
    found = Downtime(duty, last, now, last + ahead, now + ahead)
    connection.execute(_KEEP, {"hospital": hospital, **vars(found)})


def downtimes(connection: Connection, hospital: str, since: datetime | None) -> Sequence[Downtime]:
    """Newest first."""
    query = select(*_COLUMNS).where(c.downtime.c.hospital == hospital)
    if since is not None:
        query = query.where(c.downtime.c.ended >= since)
    return [Downtime(*row) for row in connection.execute(query.order_by(c.downtime.c.seq.desc()))]


def beat(connection: Connection, name: str, at: datetime, note: str, *, well: bool) -> None:
    row = {"name": name, "at": at, "note": note}
    upsert(connection, c.heartbeat, row | {"well_at": at} if well else row)


def heartbeats(connection: Connection) -> Sequence[Heartbeat]:
    rows = connection.execute(select(*(c.heartbeat.c[name] for name in Heartbeat.__dataclass_fields__)))
    return [Heartbeat(*row) for row in rows.all()]


def queues(connection: Connection, hospital: str) -> Queues:
    """A snapshot in as many queries as it has fields."""
    due, out = c.due.c, c.outbox.c
    return Queues(
        due=_by(connection, c.due, hospital),
        outbox=_by(connection, c.outbox, hospital),
        alerts=_by(connection, c.alert, hospital),
        quarantine=_by(connection, c.quarantine, hospital),
        oldest_due=connection.scalar(
            select(func.min(due.next_at)).where(due.hospital == hospital, IS_OPEN),
        ),
        oldest_queued=connection.scalar(
            select(func.min(out.queued_at)).where(out.hospital == hospital, out.state != "done"),
        ),
    )


def counts(connection: Connection, hospital: str) -> Counts:
    """Goes through all that is stored."""
    waiting = queues(connection, hospital)
    return Counts(**vars(waiting), resources=_by(connection, c.resource, hospital, "type"))


def _by(connection: Connection, table: Table, hospital: str, column: str = "state") -> Mapping[str, int]:
    query = select(table.c[column], func.count()).where(table.c.hospital == hospital)
    if "deleted" in table.c:
        query = query.where(~table.c.deleted)
    return {row[0]: row[1] for row in connection.execute(query.group_by(table.c[column]))}

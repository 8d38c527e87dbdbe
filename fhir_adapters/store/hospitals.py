"""The registered hospitals and their clinical clocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, bindparam, insert, select, update

from fhir_adapters.store import columns as c
from pathway.errors import Conflict, NotFound, Refused

Kind = Literal["demo", "test", "real"]
Status = Literal["registered", "active", "paused"]


@dataclass(frozen=True)
class HospitalRecord:
    """A hospital as registered: `site` is its configuration (JSON), `clinical_offset` how far its clock is ahead."""

    name: str
    kind: Kind
    base_url: str
    registered_at: datetime
    site: dict[str, Any] = field(default_factory=dict)
    status: Status = "registered"
    clinical_offset: timedelta = timedelta()


_COLUMNS = [
    c.hospital.c[name]
    for name in ("name", "kind", "base_url", "registered_at", "site", "status", "clinical_offset_seconds")
]


_ONE = select(*_COLUMNS).where(c.hospital.c.name == bindparam("its_name"))
_ONE_LOCKED = _ONE.with_for_update()


def hospital(connection: Connection, name: str, *, lock: bool = False) -> HospitalRecord:
    """With `lock`, whoever else wants to write for this hospital waits. Raises NotFound."""
    row = connection.execute(_ONE_LOCKED if lock else _ONE, {"its_name": name}).one_or_none()
    if row is None:
        raise NotFound(f"There is no hospital {name}")
    return _record(*row)


def hospitals(connection: Connection) -> Sequence[HospitalRecord]:
    """All of them, in the order of registration."""
    rows = connection.execute(select(*_COLUMNS).order_by(c.hospital.c.registered_at, c.hospital.c.name))
    return [_record(*row) for row in rows]


def register(connection: Connection, record: HospitalRecord) -> None:
    """Raises Conflict when the name is taken."""
    if connection.scalar(select(c.hospital.c.name).where(c.hospital.c.name == record.name)) is not None:
        raise Conflict(f"There is a hospital {record.name} already")
    connection.execute(
        insert(c.hospital).values(
            name=record.name,
            kind=record.kind,
            base_url=record.base_url,
            site=msgspec.json.encode(record.site).decode(),
            status=record.status,
            clinical_offset_seconds=record.clinical_offset.total_seconds(),
            registered_at=record.registered_at,
        )
    )


def set_status(connection: Connection, name: str, status: Status) -> None:
    """Raises NotFound."""
    _change(connection, name, status=status)


def set_site(connection: Connection, name: str, site: dict[str, Any]) -> None:
    """Raises NotFound."""
    _change(connection, name, site=msgspec.json.encode(site).decode())


def advance(connection: Connection, name: str, by: timedelta) -> timedelta:
    """Set the clinical clock ahead; the new offset. Raises Refused for a real hospital and for going back."""
    record = hospital(connection, name)
    offset = advanced(record, by)
    _change(connection, name, clinical_offset_seconds=offset.total_seconds())
    return offset


def advanced(record: HospitalRecord, by: timedelta) -> timedelta:
    """The offset after `advance`. Raises Refused."""
    if record.kind == "real":
        raise Refused(f"The clock of {record.name} cannot be set: it is a real hospital")
    if by < timedelta():
        raise Refused("A clinical clock only goes forward")
    return record.clinical_offset + by


def _change(connection: Connection, name: str, **values: Any) -> None:
    if connection.execute(update(c.hospital).where(c.hospital.c.name == name).values(**values)).rowcount != 1:
        raise NotFound(f"There is no hospital {name}")


def _record(
    name: str, kind: Kind, base_url: str, registered_at: datetime, site: str, status: Status, offset: float
) -> HospitalRecord:
    return HospitalRecord(
        name, kind, base_url, registered_at, msgspec.json.decode(site), status, timedelta(seconds=offset)
    )

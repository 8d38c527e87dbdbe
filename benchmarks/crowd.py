"""Many patients with the same history, quickly: one patient's rows, copied with other ids."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from benchmarks.clinic import Clinic
from fhir_adapters.store.tables import METADATA

_OF_NOBODY = ("alembic_version", "audit", "cursor", "heartbeat", "hospital")
_UUID = re.compile(r"\b([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{6})([0-9a-f]{6})\b")
_FIRST = "000000"


def multiply(clinic: Clinic, patients: int) -> None:
    """Patient 0, alone in the clinic's database, is followed by `patients` - 1 more like them."""
    tables = [table for table in METADATA.sorted_tables if table.name not in _OF_NOBODY]
    with clinic.store.engine.begin() as connection:
        rows = {table: _rows(connection, table) for table in tables}
        versions = max(row["seq"] for row in rows[METADATA.tables["resource_version"]])
        for number in range(1, patients):
            for table, found in rows.items():
                if found:
                    connection.execute(insert(table), [_copy(row, number, versions) for row in found])


def _rows(connection: Connection, table: Table) -> list[dict[str, Any]]:
    return [row._asdict() for row in connection.execute(select(table))]


def _copy(row: dict[str, Any], number: int, versions: int) -> dict[str, Any]:
    copy = {name: _renamed(value, number) if isinstance(value, str) else value for name, value in row.items()}
    return copy | {"seq": row["seq"] + number * versions} if "seq" in row else copy


def _renamed(text: str, number: int) -> str:
    """Another patient's text: the hospital's ids end in the number, ours are UUIDs with another end."""
    ours = _UUID.sub(lambda found: f"{found[1]}{(int(found[2], 16) + number) % 0x1000000:06x}", text)
    return ours.replace(f"-{_FIRST}", f"-{number:06}")

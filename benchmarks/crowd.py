"""Many patients with the same history, quickly: one patient's rows, copied with other ids."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select

from benchmarks.clinic import NORTH, Clinic
from fhir_adapters.store.tables import METADATA

_OF_NOBODY = ("alembic_version", "audit", "cursor", "heartbeat", "hospital")
_UUID = re.compile(r"\b([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{6})([0-9a-f]{6})\b")
_NORTH = re.compile(rf"\b{NORTH}\b(?!-)")
_FIRST = "000000"


def multiply(clinic: Clinic, patients: int, others: Sequence[str] = ()) -> None:
    """Patient 0, alone in the clinic's database, is followed by `patients` - 1 more like them.

    They are of this hospital and the `others`, which are registered, in turn.
    """
    hospitals = [clinic.name, *others]
    tables = [table for table in METADATA.sorted_tables if table.name not in _OF_NOBODY]
    with clinic.store.engine.begin() as connection:
        rows = {table: _rows(connection, table) for table in tables}
        versions = max(row["seq"] for row in rows[METADATA.tables["resource_version"]])
        for number in range(1, patients):
            its = hospitals[number % len(hospitals)]
            for table, found in rows.items():
                if found:
                    connection.execute(insert(table), [copied(row, number, versions, its) for row in found])
        if connection.dialect.name == "postgresql":
            _continue_numbers(connection, tables)


def _continue_numbers(connection: Connection, tables: Sequence[Table]) -> None:
    """PostgreSQL does not see which numbers were given by hand."""
    for table in tables:
        if "seq" in table.c:
            sequence = func.pg_get_serial_sequence(table.name, "seq")
            connection.execute(select(func.setval(sequence, func.coalesce(func.max(table.c.seq), 0) + 1)))


def _rows(connection: Connection, table: Table) -> list[dict[str, Any]]:
    return [row._asdict() for row in connection.execute(select(table))]


def copied(row: Mapping[str, Any], number: int, versions: int, hospital: str = NORTH) -> dict[str, Any]:
    """The row of patient 0 as that of patient `number` of a hospital; each patient has so many `versions`."""
    copy = {name: _renamed(value, number, hospital) if isinstance(value, str) else value for name, value in row.items()}
    return copy | {"seq": row["seq"] + number * versions} if "seq" in row else copy


def _renamed(text: str, number: int, hospital: str) -> str:
    """Another patient's text: the hospital's ids end in the number, ours are UUIDs with another end."""
    ours = _UUID.sub(lambda found: f"{found[1]}{(int(found[2], 16) + number) % 0x1000000:06x}", text)
    return _NORTH.sub(hospital, ours.replace(f"-{_FIRST}", f"-{number:06}"))

"""Insert-or-update, which SQLite and PostgreSQL spell alike and SQLAlchemy per dialect."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    """Insert the row, or overwrite the one with its primary key."""
    connection.execute(_upserting(connection.dialect.name, table, tuple(row)), row)


def insert_once(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert the row unless a unique key of it exists; whether it is new."""
    return connection.execute(_insert(connection.dialect.name, table).on_conflict_do_nothing(), row).rowcount == 1


@cache
def _upserting(dialect: str, table: Table, names: tuple[str, ...]) -> Any:
    keys = [column.name for column in table.primary_key]
    insert = _insert(dialect, table)
    rest = {name: insert.excluded[name] for name in names if name not in keys}
    return insert.on_conflict_do_update(index_elements=keys, set_=rest)


def _insert(dialect: str, table: Table) -> Any:
    return (postgresql if dialect == "postgresql" else sqlite).insert(table)

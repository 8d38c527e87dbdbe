"""What a piece of work does: one row that says its key. How many are lost or doubled is counted from these rows."""

from __future__ import annotations

import sqlalchemy
from sqlalchemy import Column, Connection, Engine, Integer, MetaData, String, Table, distinct, func, insert, select

_METADATA = MetaData()
_EFFECT = Table("effect", _METADATA, Column("number", Integer, primary_key=True), Column("key", String))


def create(engine: Engine) -> None:
    _METADATA.create_all(engine)


def happen(connection: Connection, key: str) -> None:
    """In the caller's transaction."""
    connection.execute(insert(_EFFECT), {"key": key})


def lost_and_doubled(url: str, wanted: int) -> tuple[int, int]:
    """How many of the wanted effects there are not, and how many there are too many."""
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        query = select(func.count(distinct(_EFFECT.c.key)), func.count(_EFFECT.c.key))
        different, all_of_them = connection.execute(query).one()
    engine.dispose()
    return wanted - different, all_of_them - different

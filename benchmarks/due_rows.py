"""Due rows in any number within seconds: one INSERT from a generated series."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from fhir_adapters.store.sql import SqlStore
from fhir_adapters.store.times import to_text
from service.bootstrap import open_store

HOSPITAL = "north-hospital"
DUE = datetime(2026, 3, 2, 8, tzinfo=UTC)
AFTER = DUE + timedelta(minutes=1)

# Keys in no order of time, as ours are: an odd factor gives every number below 2**32 another one.
_SERIES = """
WITH RECURSIVE series(n) AS (SELECT CAST(:first AS BIGINT) UNION ALL SELECT n + 1 FROM series WHERE n < :last)
INSERT INTO due (hospital, key, kind, due_at, next_at, wall_time, zone, care_plan, action, why, generation, state,
                 attempt, payload)
SELECT :hospital, 'CarePlan/' || (1000000000 + n / 4) || ':remind:' || (10000000000 + (n * 2654435761) % 4294967296),
       'start', {at}, {at}, '2026-03-02T09:00:00', 'Europe/Zurich', 'CarePlan/' || (1000000000 + n / 4),
       'fu-attend-all-3d', 'Three days before the follow-up visit', 1, 'scheduled', 0, '{{}}'
FROM series
"""
# Somewhere in the ten years from 2027 on.
_LATER = """(2027 + n % 10) || '-' || substr(CAST(101 + (n / 10) % 12 AS TEXT), 2) || '-'
    || substr(CAST(101 + (n * 7) % 28 AS TEXT), 2) || 'T' || substr(CAST(100 + n % 24 AS TEXT), 2)
    || ':00:00.000000Z'"""
_ADD_LATER, _ADD_DUE = text(_SERIES.format(at=_LATER)), text(_SERIES.format(at=":at"))


def store_with(url: str, later: int, hospital: str = HOSPITAL) -> SqlStore:
    """A new store in which `later` rows of a hospital are due some time after 2026."""
    store = open_store(url)
    store.register(hospital, "demo", "https://north-hospital.example/fhir")
    with store.engine.begin() as connection:
        if later:
            connection.execute(_ADD_LATER, {"first": 1, "last": later, "hospital": hospital})
    _looked_over(store)
    return store


def add_due(store: SqlStore, first: int, number: int, hospital: str = HOSPITAL) -> None:
    """So many rows more, all of them due at `DUE`; `first` is a number that no row has yet."""
    values = {"first": first, "last": first + number - 1, "hospital": hospital, "at": to_text(DUE)}
    with store.engine.begin() as connection:
        connection.execute(_ADD_DUE, values)
    _looked_over(store)


def _looked_over(store: SqlStore) -> None:
    """What PostgreSQL does by itself within a minute after so many rows came or changed."""
    if store.engine.dialect.name == "postgresql":
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM (ANALYZE) due")

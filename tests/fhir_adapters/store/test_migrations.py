"""The migrations make exactly the tables the code uses."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import structlog
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from fhir_adapters.store.engine import create_engine, journal_mode
from fhir_adapters.store.migrate import upgrade
from fhir_adapters.store.tables import METADATA


def test_migrated_schema_is_the_schema_of_the_tables() -> None:
    engine = create_engine("sqlite://")
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
        partial = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master WHERE sql LIKE '%INDEX%WHERE%'")
        assert partial.scalar() == 3
    engine.dispose()


def test_a_missing_column_would_be_noticed() -> None:
    engine = create_engine("sqlite://")
    upgrade(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("ALTER TABLE due DROP COLUMN why")
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) != []
    engine.dispose()


def test_upgrading_twice_changes_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        engine = create_engine(f"sqlite:///{tmp_path}/store.db")
        upgrade(engine)
        assert "resource_version" in inspect(engine).get_table_names()
        engine.dispose()


def test_sqlite_is_as_durable_as_it_can_be(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/store.db")
    with engine.connect() as connection:
        version = tuple(
            int(part) for part in str(connection.exec_driver_sql("SELECT sqlite_version()").scalar()).split(".")
        )
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    expected = journal_mode((version[0], version[1], version[2])).lower()
    assert settings == {"journal_mode": expected, "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


def test_older_sqlite_gets_the_rollback_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = type("OldSqlite", (), {"sqlite_version_info": (3, 40, 1), "sqlite_version": "3.40.1"})
    for name in ("connect", "paramstyle", "Error", "Binary", "PARSE_DECLTYPES", "OperationalError", "IntegrityError"):
        setattr(old, name, getattr(sqlite3, name))
    monkeypatch.setattr("fhir_adapters.store.engine._sqlite_module", lambda: old)
    with structlog.testing.capture_logs() as logs:
        engine = create_engine(f"sqlite:///{tmp_path}/store.db")
    upgrade(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "delete"
    engine.dispose()
    assert [entry["sqlite"] for entry in logs] == ["3.40.1"]


@pytest.mark.parametrize(
    ("version", "mode"),
    [((3, 6, 23), "WAL"), ((3, 7, 0), "DELETE"), ((3, 51, 2), "DELETE"), ((3, 51, 3), "WAL"), ((3, 53, 4), "WAL")],
)
def test_wal_only_where_it_cannot_corrupt(version: tuple[int, int, int], mode: str) -> None:
    assert journal_mode(version) == mode

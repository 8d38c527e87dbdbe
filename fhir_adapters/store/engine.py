"""The database engine: everything that is particular to SQLite is here."""

from __future__ import annotations

import importlib
import sqlite3
from types import ModuleType
from typing import Any

import sqlalchemy
import structlog
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import StaticPool

BUSY_TIMEOUT_MS = 10_000
READ_ONLY = "pathway_read_only"
_CORRUPTING_FROM, _FIXED_IN = (3, 7, 0), (3, 51, 3)

log = structlog.get_logger(__name__)


def create_engine(url: str) -> Engine:
    """An engine for `sqlite:///path`, `sqlite://` (in memory, one connection) or `postgresql+psycopg://...`.

    A transaction on SQLite takes the write lock at its begin, so that what it read stays true until it commits;
    one with the execution option `READ_ONLY` does not, and cannot write.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return sqlalchemy.create_engine(parsed)
    module = _sqlite_module()
    options: dict[str, Any] = {"module": module, "connect_args": {"check_same_thread": False}}
    if parsed.database in (None, "", ":memory:"):
        options["poolclass"] = StaticPool
    engine = sqlalchemy.create_engine(parsed, **options)
    journal = journal_mode(module.sqlite_version_info)
    if journal != "WAL":
        log.warning("rollback journal instead of WAL", sqlite=module.sqlite_version, fixed_in="3.51.3")
    _configure(engine, journal)
    return engine


def journal_mode(version: tuple[int, int, int]) -> str:
    """WAL, unless this SQLite can corrupt a database in WAL mode (https://sqlite.org/wal.html#walresetbug)."""
    return "DELETE" if _CORRUPTING_FROM <= version < _FIXED_IN else "WAL"


def _sqlite_module() -> ModuleType:
    try:
        return importlib.import_module("pysqlite3")
    except ImportError:
        return sqlite3


def _configure(engine: Engine, journal: str) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            f"journal_mode = {journal}",
            "synchronous = FULL",
            "foreign_keys = ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        read_only = connection.get_execution_options().get(READ_ONLY)
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if read_only else 'OFF'}")
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

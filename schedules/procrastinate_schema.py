"""procrastinate's own tables, brought to the version that is installed.

Its migration scripts are not numbered by the database: which one came last is kept as the comment of its jobs table.
"""

from __future__ import annotations

from pathlib import Path

from procrastinate.schema import SchemaManager
from sqlalchemy import Connection, Engine, text

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('procrastinate schema'))")
_THERE = text("SELECT to_regclass('procrastinate_jobs')")
_LAST = text("SELECT obj_description(to_regclass('procrastinate_jobs'), 'pg_class')")


def bring_up_to_date(engine: Engine) -> None:
    """Create the tables, or run what scripts came since; does nothing when there are none.

    Tables that somebody else created are taken for those of the installed version.
    """
    while _step(engine, sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))):
        pass


def _step(engine: Engine, scripts: list[Path]) -> bool:
    """One script in a transaction of its own, since the next may need what it added; whether there was one."""
    with engine.begin() as connection:
        connection.execute(_ONE_AT_A_TIME)
        if connection.scalar(_THERE) is None:
            _run(connection, SchemaManager.get_schema())
        last = connection.scalar(_LAST)
        if last is None:
            return _noted(connection, scripts[-1])
        script = next((script for script in scripts if script.name > last), None)
        if script is None:
            return False
        _run(connection, script.read_text(encoding="utf-8"))
        return _noted(connection, script)


def _noted(connection: Connection, script: Path) -> bool:
    _run(connection, f"COMMENT ON TABLE procrastinate_jobs IS '{script.name}'")
    return True


def _run(connection: Connection, script: str) -> None:
    """Several statements at once, as they stand: neither `%` nor `:` is a parameter."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(script)

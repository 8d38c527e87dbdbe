"""Brings a database to the schema of this version."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

_MIGRATIONS = Path(__file__).parent / "migrations"


@cache
def head() -> str | None:
    """The schema revision that this version works with."""
    return ScriptDirectory(str(_MIGRATIONS)).get_current_head()


def revision(connection: Connection) -> str | None:
    """The schema revision that the database is at."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Run every missing migration in one transaction; does nothing when there is none."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":  # processes that start together come one after the other
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('calcinosis-pathway schema'))"))
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

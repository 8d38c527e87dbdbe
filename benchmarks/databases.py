"""Empty databases to measure on: SQLite files, and databases of one PostgreSQL where that is installed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import sqlalchemy
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from benchmarks.measure import parent_of
from tests.servers import postgres


class Databases(Protocol):
    """All of them go with the block that opened this. `server` are the processes that work for them."""

    name: str
    server: tuple[int, ...]

    def new(self) -> str:
        """The URL of an empty database."""

    def copy(self, url: str) -> str:
        """The URL of another one with the same in it; nobody may be connected to the first."""


class SqliteFiles:
    """Each a file in one folder."""

    name = "SQLite"
    server: tuple[int, ...] = ()

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count()

    def new(self) -> str:
        return f"sqlite:///{self._folder}/{next(self._numbers)}.db"

    def copy(self, url: str) -> str:
        made = self.new()
        shutil.copyfile(str(make_url(url).database), str(make_url(made).database))
        return made


class PostgresDatabases:
    """Each in one cluster with its usual settings, fsync included."""

    name = "PostgreSQL"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._numbers = count()
        with engine.connect() as connection:
            backend = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        self.server: tuple[int, ...] = (parent_of(backend),)

    def new(self) -> str:
        return self._made_from("template1")

    def copy(self, url: str) -> str:
        return self._made_from(str(make_url(url).database))

    def _made_from(self, template: str) -> str:
        name = f"bench_{next(self._numbers)}"
        with self._engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self._engine.url.set(database=name).render_as_string(hide_password=False)


@contextmanager
def sqlite_files() -> Iterator[Databases]:
    with TemporaryDirectory(prefix="calcinosis-pathway-bench-") as folder:
        yield SqliteFiles(Path(folder))


@contextmanager
def postgres_databases() -> Iterator[Databases]:
    """Ask `tests.servers.postgres.unavailable` first."""
    with postgres.running() as url:
        engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
        try:
            yield PostgresDatabases(engine)
        finally:
            engine.dispose()


@contextmanager
def every_kind() -> Iterator[list[Databases]]:
    """SQLite, and PostgreSQL where it can run."""
    with ExitStack() as stack:
        found = [stack.enter_context(sqlite_files())]
        if postgres.unavailable() is None:
            found.append(stack.enter_context(postgres_databases()))
        yield found

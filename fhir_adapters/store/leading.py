"""Which of several processes does what only one should: an advisory lock of PostgreSQL, held for as long as it lives.

A database lock and no lease, because a process that dies lets go at once.
"""

from __future__ import annotations

from contextlib import suppress
from threading import Lock

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import SQLAlchemyError


class Leadership:
    """This process's share, on one connection of its own. On SQLite every process leads: two only waste work."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._led: set[str] = set()
        self._turn = Lock()

    def leads(self, name: str) -> bool:
        """Whether this process leads, if need be from now on. A database that is away is an SQLAlchemyError."""
        if self._engine.dialect.name != "postgresql":
            return True
        with self._turn:
            try:
                return self._asked(name)
            except SQLAlchemyError:
                self._let_go()
                raise

    def stop(self) -> None:
        """Leave the lead to others, at once."""
        with self._turn:
            if self._connection is not None:
                with suppress(SQLAlchemyError):
                    self._connection.execute(select(func.pg_advisory_unlock_all()))
            self._let_go()

    def _asked(self, name: str) -> bool:
        if self._connection is None:
            self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if name in self._led:
            return bool(self._connection.scalar(select(1)))  # raises when the connection, and so the lock, is gone
        if self._connection.scalar(select(func.pg_try_advisory_lock(func.hashtextextended(name, 0)))):
            self._led.add(name)
        return name in self._led

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        self._led.clear()
        if connection is not None:
            connection.invalidate()
            connection.close()

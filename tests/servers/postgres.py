"""A real PostgreSQL from Debian's package, as a cluster of its own in a temporary folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, create_engine, make_url

from tests.servers.process import free_port

_INSTALLED = Path("/usr/lib/postgresql")
_ACCOUNT = "postgres"  # initdb refuses to run as root


def unavailable() -> str | None:
    """Why this server cannot run here, or None."""
    if _programs() is None:
        return "no initdb and pg_ctl"
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        return "root cannot become another account: no runuser"
    return None


@contextmanager
def running() -> Iterator[str]:
    """Yields the SQLAlchemy URL of a new, empty database; the cluster goes with the block."""
    programs, port = _programs(), free_port()
    assert programs is not None
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        if os.geteuid() == 0:
            shutil.chown(name, _ACCOUNT)
        data, log = f"{name}/data", f"{name}/log"
        _run([f"{programs}/initdb", "-D", data, "-A", "trust", "-U", _ACCOUNT, "-E", "UTF8"])
        options = f"-p {port} -c listen_addresses=127.0.0.1 -k {name}"
        _run([f"{programs}/pg_ctl", "-D", data, "-o", options, "-l", log, "-w", "start"])
        try:
            yield f"postgresql+psycopg://{_ACCOUNT}@127.0.0.1:{port}/postgres"
        finally:
            _run([f"{programs}/pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"])


@contextmanager
def database(url: str, template: str = "template1") -> Iterator[str]:
    """Yields the URL of a database of its own in the cluster of `url`, a copy of `template`; it goes with the block."""
    name = f"test_{uuid4().hex}"
    with _connected(url) as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield make_url(url).set(database=name).render_as_string(hide_password=False)
    finally:
        with _connected(url) as connection:
            connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _programs() -> Path | None:
    versions = sorted(_INSTALLED.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return versions[-1].parent if versions else None


def _run(command: Sequence[str]) -> None:
    account = ["runuser", "-u", _ACCOUNT, "--"] if os.geteuid() == 0 else []
    subprocess.run([*account, *command], check=True, capture_output=True, cwd="/", timeout=60)

"""A real PostgreSQL from Debian's package, as a cluster of its own in a temporary folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

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


def _programs() -> Path | None:
    versions = sorted(_INSTALLED.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return versions[-1].parent if versions else None


def _run(command: Sequence[str]) -> None:
    account = ["runuser", "-u", _ACCOUNT, "--"] if os.geteuid() == 0 else []
    subprocess.run([*account, *command], check=True, capture_output=True, cwd="/", timeout=60)

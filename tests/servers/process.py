"""One server process on loopback: start it, wait until it answers, end it and nothing else."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

LOG_TAIL_CHARACTERS = 4000
POLL_SECONDS = 0.1
STOP_SECONDS = 10


class ServerStartError(Exception):
    """The server ended or did not answer in time; the message carries the end of its log."""


def free_port() -> int:
    """A loopback port nobody listens on. Another process may take it before the server does; then start-up fails."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(
    command: Sequence[str], *, base: str, folder: Path, seconds: float, env: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Runs `command` inside `folder` for as long as the block, which begins once `{base}/metadata` answers 200."""
    log = folder / "server.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, cwd=folder, env=env or os.environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        ) as process,
    ):
        try:
            _wait_until_ready(process, base, log, seconds)
            yield
        finally:
            _stop(process)


def _wait_until_ready(process: subprocess.Popen[bytes], base: str, log: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not _answers(base):
        if process.poll() is not None:
            raise ServerStartError(f"{base} ended with exit code {process.returncode}. Its log ends:\n{_tail(log)}")
        if time.monotonic() > deadline:
            raise ServerStartError(f"{base} did not answer within {seconds:.0f} s. Its log ends:\n{_tail(log)}")
        time.sleep(POLL_SECONDS)


def _answers(base: str) -> bool:
    try:
        # The first CapabilityStatement of a JVM server takes seconds; a proxy from the environment must not be asked.
        return httpx.get(f"{base}/metadata", timeout=20, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:]

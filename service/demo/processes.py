"""The processes of a demonstration: our service, a hospital's server, and the duty desk that receives alerts."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx

from service.demo.stage import StoryFailed

_HOST = "127.0.0.1"
_START_SECONDS = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


@dataclass
class Process:
    """One of our commands as a process of its own, with its log in a file; it can be killed and started again."""

    arguments: list[str]
    url: str
    alive: str
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    _running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers. Raises StoryFailed with the end of its log."""
        command = [sys.executable, "-m", "service.cli", *self.arguments]
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, **self.environment}, start_new_session=True
            )
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until and self._running.poll() is None:
            with suppress(httpx.TransportError):
                if httpx.get(self.alive, timeout=5).is_success:
                    return
            time.sleep(0.05)
        self.stop()
        raise StoryFailed(f"{self.arguments[0]} did not start: {self.log.read_text()[-2000:]}")

    def kill(self) -> None:
        """kill -9: no goodbye."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        running, self._running = self._running, None
        if running is None:
            return
        running.send_signal(number)
        try:
            running.wait(timeout=10)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


class DutyDesk:
    """Receives alerts by webhook and remembers them."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        received = self.received

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                received.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer((_HOST, 0), Receiver)
        self.url = f"http://{_HOST}:{self._server.server_port}/alerts"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def service_process(folder: Path, desk: DutyDesk, port: int, **settings: str) -> Process:
    """Our service on its own SQLite database in `folder`, quick enough to watch."""
    url = f"http://{_HOST}:{port}"
    environment = {
        "DATABASE_URL": f"sqlite:///{folder}/service.db",
        "PUBLIC_URL": url,
        "ALERT_WEBHOOK_URL": desk.url,
        "PULL_SECONDS": "0.3",
        "PUSH_SECONDS": "0.2",
        "RELEASE_SECONDS": "0.2",
        "HOSPITAL_TIMEOUT_SECONDS": "5",
        **settings,
    }
    named = {f"CALCINOSIS_PATHWAY_{name}": value for name, value in environment.items()}
    return Process(["serve", "--port", str(port)], url, f"{url}/healthz", folder / "service.log", named)


def hospital_process(folder: Path, port: int) -> Process:
    """A FHIR server of ours in the part of the hospital's own."""
    url = f"http://{_HOST}:{port}/fhir"
    arguments = ["hospital", "--port", str(port), "--database-url", f"sqlite:///{folder}/hospital.db"]
    return Process(arguments, url, f"{url}/metadata", folder / "hospital.log")


@contextmanager
def running(folder: Path, hospital: str | None, port: int | None = None) -> Iterator[tuple[Process, str, DutyDesk]]:
    """Service, hospital and duty desk; `hospital` is the base of another server to use instead of ours.

    Yields the service, the hospital's base and the desk.
    """
    folder.mkdir(parents=True, exist_ok=True)
    desk = DutyDesk()
    service = service_process(folder, desk, port or free_port())
    theirs = hospital_process(folder, free_port()) if hospital is None else None
    try:
        if theirs is not None:
            theirs.start()
        service.start()
        yield service, hospital or (theirs.url if theirs else ""), desk
    finally:
        service.stop()
        if theirs is not None:
            theirs.stop()
        desk.close()

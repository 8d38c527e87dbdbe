"""A receiver of alerts by webhook that keeps what it is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Desk:
    """`status` is what it answers; `bodies` and `signatures` are as they came."""

    url: str
    status: int = 204
    bodies: list[bytes] = field(default_factory=list)
    signatures: list[str | None] = field(default_factory=list)

    @property
    def received(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies]


@contextmanager
def receiving() -> Iterator[Desk]:
    """Yields a desk that listens on a free port of this machine."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            desk.bodies.append(self.rfile.read(int(self.headers["content-length"])))
            desk.signatures.append(self.headers["X-Signature"])
            self.send_response(desk.status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        desk = Desk(f"http://127.0.0.1:{server.server_port}/alerts")
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield desk
        finally:
            server.shutdown()
            thread.join()

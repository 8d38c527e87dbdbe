"""A mail server that keeps what it is handed: SMTP (RFC 5321) as far as a sender needs it, without TLS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread


@dataclass
class Sink:
    """`refuse` is what it answers to a recipient instead of 250; `commands` are as they came."""

    port: int
    refuse: str | None = None
    commands: list[str] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)


@contextmanager
def running(port: int = 0) -> Iterator[Sink]:
    """Yields a sink that listens on this machine, on a free port unless one is given."""

    class Session(StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 sink")
            while line := self.rfile.readline():
                command = line.decode().strip()
                sink.commands.append(command)
                if command.upper() == "DATA":
                    self._say("354 go on")
                    sink.mails.append(self._mail())
                self._say(self._answer(command))
                if command.upper() == "QUIT":
                    return

        def _answer(self, command: str) -> str:
            if command.upper().startswith("RCPT") and sink.refuse:
                return sink.refuse
            return "221 bye" if command.upper() == "QUIT" else "250 ok"

        def _mail(self) -> EmailMessage:
            lines = iter(self.rfile.readline, b".\r\n")
            text = b"".join(line.removeprefix(b".") for line in lines)
            return message_from_bytes(text, _class=EmailMessage, policy=policy.default)

        def _say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    class Server(ThreadingTCPServer):
        allow_reuse_address = True

    with Server(("127.0.0.1", port), Session) as server:
        sink = Sink(server.server_address[1])
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield sink
        finally:
            server.shutdown()
            thread.join()

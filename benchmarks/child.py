"""A child process that runs a module of ours, says how far it is, and is killed in any case at the end."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO


class DidNotWork(Exception):
    """A process ended too soon or not at all; the end of what it said."""


class Child:
    """What it says on stderr is kept for when it fails."""

    def __init__(self, process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
        self._process, self._errors = process, errors
        self.pid = process.pid

    def says(self, word: str, seconds: float, *, needed: bool = True) -> bool:
        """Wait so long for a word. Raises DidNotWork when it ended before, or when the word was `needed`."""
        assert self._process.stdout is not None
        heard, _, _ = select.select([self._process.stdout], [], [], seconds)
        if not heard and not needed:
            return False
        if not heard or self._process.stdout.readline().strip() != word.encode():
            raise self._failed(f"did not say {word}")
        return True

    def go(self) -> None:
        """What `wait_for_go` waits for."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"go\n")

    def ends(self, seconds: float) -> None:
        """Wait so long for its end. Raises DidNotWork when it does not come, or is not a good one."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise self._failed("did not end") from None
        if code != 0:
            raise self._failed("failed")

    def _failed(self, why: str) -> DidNotWork:
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - 1000))
        return DidNotWork(f"{self._process.args!r} {why}: {self._errors.read().decode(errors='replace')}")


@contextmanager
def child(module: str, *arguments: str) -> Iterator[Child]:
    command, pipe = [sys.executable, "-m", module, *arguments], subprocess.PIPE
    with TemporaryFile() as errors:
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors, bufsize=0)
        with process:
            try:
                yield Child(process, errors)
            finally:
                process.kill()


def say(word: str) -> None:
    """In the child: what its parent waits for."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def wait_for_go() -> None:
    """In the child: until its parent lets it go on, or is gone."""
    sys.stdin.readline()

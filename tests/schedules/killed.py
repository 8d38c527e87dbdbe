"""A process that does due work and kills itself before its n-th statement or COMMIT. Loaded once, then forked."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import datetime
from multiprocessing import get_context
from typing import Any

import psycopg
from sqlalchemy import event

from tests.fhir_adapters.store.ticking import START, Clock
from tests.schedules.engines import Bench, Name, opened

_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.schedules.killed"])
_DRIVER = [(psycopg.Cursor, ("execute", "executemany")), (psycopg.Connection, ("commit",))]
_ASYNC_DRIVER = [(psycopg.AsyncCursor, ("execute",)), (psycopg.AsyncConnection, ("commit",))]


def killed_at(number: int, url: str, name: Name, now: datetime) -> bool:
    """Tick, claim, hand-off and effect in a process that dies before its `number`-th step; False: it survived."""
    process = _CONTEXT.Process(target=_do_due_work, args=(number, url, name, now))
    process.start()
    process.join(60)
    assert process.exitcode in (0, -signal.SIGKILL), process.exitcode
    return process.exitcode != 0


def finish(url: str, name: Name, now: datetime) -> None:
    """The same, by a process that nobody kills. Raises AssertionError when it fails."""
    assert not killed_at(-1, url, name, now)


def _do_due_work(number: int, url: str, name: Name, now: datetime) -> None:
    left = [number]

    def step(*_: Any, **__: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    with opened(url, Clock(now)) as store:
        if url.startswith("postgresql"):
            _before_each(step)
        else:
            for happening in ("before_cursor_execute", "commit"):
                event.listen(store.engine, happening, step)
        bench = Bench(store, Clock(now), name, url, clinical=START)
        bench.take()
        bench.work_off()


def _before_each(step: Callable[[], None]) -> None:
    """The driver itself is watched: procrastinate has connections of its own."""
    for kind, names in [*_DRIVER, *_ASYNC_DRIVER]:
        for name in names:
            _watched(kind, name, step)


def _watched(kind: Any, name: str, step: Callable[[], None]) -> None:
    real = getattr(kind, name)

    def watched(self: Any, *arguments: Any, **options: Any) -> Any:
        step()
        return real(self, *arguments, **options)

    setattr(kind, name, watched)

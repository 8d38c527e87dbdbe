"""Says so when the tick does not come: its thread may have died, or a duty may hang. It ends nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event, Thread

import structlog

_log = structlog.get_logger(__name__)


class Watchdog:
    """A thread of its own that logs an error for every `patience` seconds without a sign of life.

    `last` is when the last one came, on the monotonic clock.
    """

    def __init__(self, last: Callable[[], float], patience: float) -> None:
        self._last = last
        self._patience = patience
        self._stopped = Event()
        self._thread = Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        told = 0
        while not self._stopped.wait(self._patience / 4):
            silent = time.monotonic() - self._last()
            periods = int(silent / self._patience)
            if periods > told:
                _log.error("tick.late", seconds=round(silent, 1))
            elif told and not periods:
                _log.warning("tick.back")
            told = periods

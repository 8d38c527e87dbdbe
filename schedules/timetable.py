"""The clock: one APScheduler job that ticks, and runs the duties whose turn has come. It holds nothing.

Every duty may be run again, so a missed or doubled tick does no harm. A duty that fails is recorded and runs again
at its next turn; the others go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from pathway.errors import Conflict, PathwayError
from schedules.watchdog import Watchdog

DONE = "done: "  # how the outcome of a duty that went well begins
QUIET_SECONDS = 10.0  # how long a duty without news gives no sign of life
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Duty:
    """A piece of work with a name, run every `every` seconds; `run` says how much it did.

    `alone`: in one process only, where several tick, because two would double a call or waste work.
    """

    name: str
    every: float
    run: Callable[[], int]
    alone: bool = False


class Timetable:
    """Runs duties one after the other. `beat` records a sign of life for each run, with its outcome.

    `patience`: after how many seconds without a tick, or a duty that ended in one, an error is logged. `leads` tells
    whether a duty that runs `alone` is this process's, by its name.
    """

    def __init__(
        self,
        duties: Callable[[], Sequence[Duty]],
        beat: Callable[[str, str], None],
        tick: float = 0.25,
        patience: float = 120,
        leads: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._duties = duties
        self._beat = beat
        self._tick = tick
        self._leads = leads
        self._last: dict[str, float] = {}
        self._beats: dict[str, tuple[str, float]] = {}
        self._turn = Lock()
        self._scheduler = BackgroundScheduler(timezone="UTC")
        self._alive = time.monotonic()
        self._watchdog = Watchdog(lambda: self._alive, patience)

    def start(self) -> None:
        """Begin to tick in a thread of its own."""
        self._scheduler.add_job(
            self.run_due,
            "interval",
            seconds=self._tick,
            id="tick",
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        self._alive = time.monotonic()
        self._scheduler.start()
        self._watchdog.start()

    def stop(self) -> None:
        """Stop ticking, after the duty that is running."""
        self._watchdog.stop()
        self._scheduler.shutdown(wait=True)

    def run_due(self, *, now: bool = False) -> None:
        """Run each duty whose turn has come; with `now` all of them. Never raises."""
        with self._turn:
            self._alive = time.monotonic()
            for duty in self._safe_duties():
                if now or time.monotonic() - self._last.get(duty.name, float("-inf")) >= duty.every:
                    self._last[duty.name] = time.monotonic()
                    if now or not duty.alone or self._is_ours(duty):
                        self._run(duty)

    def run_now(self, prefix: str, patience: float) -> dict[str, str]:
        """Run the duties whose name begins with `prefix`, between two ticks; their outcomes by name.

        Raises Conflict when the tick that is running takes longer than `patience` seconds.
        """
        if not self._turn.acquire(timeout=patience):
            raise Conflict("The duties are still at work: try again later")
        try:
            return {duty.name: self._run(duty) for duty in self._duties() if duty.name.startswith(prefix)}
        finally:
            self._turn.release()

    def _is_ours(self, duty: Duty) -> bool:
        try:
            return self._leads(duty.name)
        except Exception as error:
            _log.error("leadership.unknown", duty=duty.name, error=type(error).__name__)
            return False

    def _safe_duties(self) -> Sequence[Duty]:
        try:
            return self._duties()
        except Exception as error:
            _log.error("duties.unknown", error=type(error).__name__)
            return []

    def _run(self, duty: Duty) -> str:
        try:
            note = f"{DONE}{duty.run()}"
        except PathwayError as error:
            note = f"failed: {error}"
            _log.warning("duty.failed", duty=duty.name, error=type(error).__name__)
        except Exception as error:
            note = f"failed: {type(error).__name__}"
            _log.exception("duty.failed", duty=duty.name)
        self._alive = time.monotonic()
        self._report(duty.name, note)
        return note

    def _report(self, name: str, note: str) -> None:
        """A sign of life at once when there is news, and every few seconds when there is none."""
        last, at = self._beats.get(name, ("", float("-inf")))
        if note == last and time.monotonic() - at < QUIET_SECONDS:
            return
        try:
            self._beat(name, note)
            self._beats[name] = (note, time.monotonic())
        except Exception as error:
            _log.error("heartbeat.failed", duty=name, error=type(error).__name__)

"""Sweeps of each hospital: a slice at each turn of the clock, or a whole round when asked; and the last report."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from threading import Lock

import msgspec

from fhir_adapters.store.sql import SqlStore
from pathway.errors import Conflict
from pathway.intake import Pathway
from pathway.situation import Now
from schedules.duties import sweep
from schedules.duties.sweep import Report

SLICE_SECONDS = 1.0  # all that a sweep takes of a turn, so that the other duties go on
_PATIENCE = 10.0
_AGAIN = timedelta(seconds=60)  # after a round that could not go on
Steps = Iterator[Report]


class Sweeps:
    """`pathway` and `now` are asked for at each step; `every` is how often a round begins, first of all at once."""

    def __init__(
        self, store: SqlStore, pathway: Callable[[str], Pathway], now: Callable[[str], Now], every: timedelta
    ) -> None:
        self._store = store
        self._pathway = pathway
        self._now = now
        self._every = every
        self._running: dict[str, Steps] = {}
        self._next: dict[str, datetime] = {}
        self._busy: defaultdict[str, Lock] = defaultdict(Lock)

    def turn(self, hospital: str) -> int:
        """Go on with the round for a moment, or begin one when its time has come; how many steps were made."""
        if not self._busy[hospital].acquire(blocking=False):
            return 0
        try:
            return self._slice(hospital)
        finally:
            self._busy[hospital].release()

    def round(self, hospital: str) -> Report:
        """A whole round now, in place of one that is under way. Raises Conflict while another one does not pause."""
        if not self._busy[hospital].acquire(timeout=_PATIENCE):
            raise Conflict(f"The sweep of {hospital} is at work: try again later")
        try:
            self._running.pop(hospital, None)
            *_, report = self._steps(hospital)
            return self._kept(report)
        finally:
            self._busy[hospital].release()

    def last(self, hospital: str) -> Report | None:
        """The report of the last round that ended, in whichever process."""
        found = [beat.note for beat in self._store.heartbeats() if beat.name == _place(hospital)]
        return msgspec.json.decode(found[0], type=Report) if found else None

    def _slice(self, hospital: str) -> int:
        if hospital not in self._running and not self._is_due(hospital):
            return 0
        steps = self._running.pop(hospital, None) or self._steps(hospital)
        until, made = time.monotonic() + SLICE_SECONDS, 0
        for report in steps:
            if report.ended is not None:
                self._kept(report)
                return made
            made += 1
            if time.monotonic() >= until:
                self._running[hospital] = steps
                return made
        return made

    def _is_due(self, hospital: str) -> bool:
        """At the start, and then as long after the last round as `every` says; another process may have made that."""
        now, at = self._now(hospital).wire, self._next.get(hospital)
        if at is not None and now >= at and (last := self.last(hospital)):
            at = max(at, last.began + self._every)
        if at is not None and now < at:
            self._next[hospital] = at
            return False
        self._next[hospital] = now + _AGAIN
        return True

    def _steps(self, hospital: str) -> Steps:
        return sweep.steps(self._store, lambda: self._pathway(hospital), lambda: self._now(hospital))

    def _kept(self, report: Report) -> Report:
        self._store.heartbeat(_place(report.hospital), msgspec.json.encode(report).decode())
        self._next[report.hospital] = report.began + self._every
        return report


def _place(hospital: str) -> str:
    """Beside the duties' signs of life, whose names begin with the hospital's."""
    return f"sweep/{hospital}"

"""One, two and four worker processes on one PostgreSQL: the same due work, with and without looking at the plans."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from benchmarks.busy_day import unrecorded_surgeries
from benchmarks.child import child
from benchmarks.clinic import NORTH, Clinic
from benchmarks.databases import Databases, postgres_databases
from benchmarks.due_rows import AFTER, add_due
from benchmarks.measure import Comparison, Sample, interleaved, timed_elsewhere
from benchmarks.worker import LOOKED_AT, UNSEEN
from pathway.library import Library
from service.engines import IN_PROCESS, PROCRASTINATE
from tests.servers import postgres

WORKERS = (1, 2, 4)
_FOUR = (NORTH, "east", "south", "west")
_START, _END = 60.0, 600.0


def compare(rounds: int, rows: int, patients: int) -> Iterator[Comparison]:
    """`rows` are claimed and closed, or the plans of `patients` looked at; each on a copy of the same database."""
    if postgres.unavailable() is not None:
        return
    with postgres_databases() as kind:
        for hospitals in (_FOUR[:1], _FOUR):
            where = "one hospital" if len(hospitals) == 1 else f"{len(hospitals)} hospitals"
            days = [
                _Day(kind, _only_rows(kind, hospitals, rows), hospitals, UNSEEN, rows, AFTER.isoformat()),
                _whole(kind, hospitals, patients),
            ]
            for day in days:
                for engine in (IN_PROCESS, PROCRASTINATE):
                    yield from _compared(day, engine, where, rounds)


@dataclass(frozen=True)
class _Day:
    """A database in which so many pieces of work are due at a clinical time."""

    kind: Databases
    url: str
    hospitals: tuple[str, ...]
    plans: str
    due: int
    clinical: str


def _compared(day: _Day, engine: str, where: str, rounds: int) -> Iterator[Comparison]:
    one, *more = interleaved(rounds, *(partial(_worked_off, day, engine, workers) for workers in WORKERS))
    done = "claimed and closed" if day.plans == UNSEEN else "each with its plan looked at"
    for workers, samples in zip(WORKERS[1:], more, strict=True):
        what = f"{engine}, {where}: {day.due:,} due, {done}, {workers} workers"
        yield Comparison(what, "1 worker", samples, one)


def _worked_off(day: _Day, engine: str, workers: int) -> Sample:
    url = day.kind.copy(day.url)
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                child("benchmarks.worker", url, engine, day.plans, day.clinical, *_from(day.hospitals, number))
            )
            for number in range(workers)
        ]
        for one in started:
            one.says("ready", _START)

        def work() -> tuple[int, list[float]]:
            for one in started:
                one.go()
            for one in started:
                one.says("done", _END)
            return day.due, []

        return timed_elsewhere([*(one.pid for one in started), *day.kind.server], work)


def _from(hospitals: tuple[str, ...], number: int) -> tuple[str, ...]:
    """Each worker begins with another one."""
    first = number % len(hospitals)
    return hospitals[first:] + hospitals[:first]


def _only_rows(kind: Databases, hospitals: tuple[str, ...], rows: int) -> str:
    url, share = kind.new(), rows // len(hospitals)
    for number, name in enumerate(hospitals):
        clinic = Clinic(url, Library.load(), name=name)
        add_due(clinic.store, 1 + number * share, share, name)
        clinic.store.engine.dispose()
    return url


def _whole(kind: Databases, hospitals: tuple[str, ...], patients: int) -> _Day:
    url, library = kind.new(), Library.load()
    clinics = [Clinic(url, library, name=name) for name in hospitals]
    unrecorded_surgeries(clinics[0], patients, clinics[1:])
    clinical = clinics[0].clinical
    for clinic in clinics:
        clinic.store.engine.dispose()
    return _Day(kind, url, hospitals, LOOKED_AT, patients, clinical.isoformat())

"""Ours against each of the others: effects lost and doubled under kills, time and CPU without any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec

from benchmarks.databases import Databases, postgres_databases, sqlite_files
from benchmarks.measure import Comparison
from benchmarks.schedulers import effects
from benchmarks.schedulers.killing import Run, planned, worked_off
from tests.servers import postgres

_OURS = "ours"
_OTHERS = {
    "with_apscheduler": ("apscheduler", "APScheduler, SQL job store"),
    "with_procrastinate": ("procrastinate", "procrastinate alone"),
    "with_dbos": ("dbos", "dbos"),
}


def compare(rounds: int, number: int, kills: int) -> Iterator[Comparison]:
    """In each round `number` effects by every scheduler in turn, undisturbed, then again with so many kills."""
    with ExitStack() as stack:
        here = postgres.unavailable() is None
        kind = stack.enter_context(postgres_databases() if here else sqlite_files())
        names = [name for name, (package, _) in _OTHERS.items() if find_spec(package) is not None]
        if not here and "with_procrastinate" in names:
            names.remove("with_procrastinate")
        for disturbed in (0, kills):
            yield from _compared(kind, names, rounds, number, disturbed)


def _compared(kind: Databases, names: list[str], rounds: int, number: int, kills: int) -> Iterator[Comparison]:
    found: dict[str, list[tuple[Run, int, int]]] = {name: [] for name in (_OURS, *names)}
    for seed in range(rounds):
        for name, runs in found.items():
            runs.append(_run(kind, name, number, kills, seed))
    ours = found.pop(_OURS)
    for name, runs in found.items():
        what = f"{kind.name}: {number:,} effects, {_counted(ours)}"
        against = f"{_OTHERS[name][1]}: {_counted(runs)}"
        yield Comparison(what, against, [run.sample for run, *_ in ours], [run.sample for run, *_ in runs])


def _run(kind: Databases, name: str, number: int, kills: int, seed: int) -> tuple[Run, int, int]:
    url = kind.new()
    planned(name, url, number)
    run = worked_off(name, url, number, kills, seed, kind.server)
    return run, *effects.lost_and_doubled(url, number)


def _counted(runs: list[tuple[Run, int, int]]) -> str:
    kills, lost, doubled = (sum(numbers) for numbers in zip(*((r.kills, lo, do) for r, lo, do in runs), strict=True))
    return f"killed {kills} times: lost {lost}, doubled {doubled}"

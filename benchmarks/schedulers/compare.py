"""Ours against each of the others: effects lost and doubled under kills, time and CPU without any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from typing import NamedTuple

from benchmarks.child import DidNotWork
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
        if not here:
            names = [name for name in names if name != "with_procrastinate"]
        for disturbed in (0, kills):
            yield from _compared(kind, names, rounds, number, disturbed)


def _compared(kind: Databases, names: list[str], rounds: int, number: int, kills: int) -> Iterator[Comparison]:
    found: dict[str, list[_Counted]] = {name: [] for name in (_OURS, *names)}
    for seed in range(rounds):
        for name in list(found):
            try:
                found[name].append(_run(kind, name, number, kills, seed))
            except DidNotWork:
                if name == _OURS:
                    raise
                found.pop(name)
    ours = found.pop(_OURS)
    what = f"{kind.name}: {number:,} effects, {_said(ours)}"
    left_out = [title for name, (_, title) in _OTHERS.items() if name not in found]
    note = f"left out, not to be had or not done in time: {', '.join(left_out)}" if left_out else ""
    if not found:
        yield Comparison(what, "", [one.run.sample for one in ours], note=note)
    for name, runs in found.items():
        against = f"{_OTHERS[name][1]}: {_said(runs)}"
        yield Comparison(what, against, [one.run.sample for one in ours], [one.run.sample for one in runs], note)
        note = ""


class _Counted(NamedTuple):
    run: Run
    lost: int
    doubled: int


def _run(kind: Databases, name: str, number: int, kills: int, seed: int) -> _Counted:
    url = kind.new()
    planned(name, url, number)
    run = worked_off(name, url, number, kills, seed, kind.server)
    return _Counted(run, *effects.lost_and_doubled(url, number))


def _said(runs: list[_Counted]) -> str:
    kills, lost = sum(one.run.kills for one in runs), sum(one.lost for one in runs)
    return f"killed {kills} times: lost {lost}, doubled {sum(one.doubled for one in runs)}"

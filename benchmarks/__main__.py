"""`make bench`: ours against HAPI or against the least the same work can cost, in one run. No thresholds."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

from rich.console import Console

from benchmarks import apply_plan, due_work, growth, http_tasks, planning, story_steps, workers
from benchmarks.due_work import Numbers
from benchmarks.measure import Comparison
from benchmarks.schedulers import compare as schedulers
from benchmarks.servers import Server, hapi_server
from benchmarks.table import as_json, notes, table
from tests.servers import hapi

_PARTS = ("http", "apply", "growth", "story", "due", "planning", "schedulers", "workers")


@dataclass(frozen=True)
class Effort:
    """How long it all takes: seconds a round and of warming up, and how many of everything.

    `enrolled` and `planned` patients a round, `due` patients on one day; `effects` of each scheduler and `kills` of its
    workers; `claimed` rows and `looked_at` plans for several workers.
    """

    rounds: int
    seconds: float
    warm_up: float
    enrolled: int
    due: int
    planned: int
    table: Numbers
    effects: int
    kills: int
    claimed: int
    looked_at: int


_FEW = 2  # rounds of what takes minutes
_MILLION = 1_000_000
_TABLE = Numbers((10_000, 100_000, _MILLION), 5000, 600_000, 100_000, 200)
_WHOLE_TABLE = replace(_TABLE, later=(*_TABLE.later, 10 * _MILLION))
_QUICK = Effort(1, 0.5, 1.0, 3, 200, 5, Numbers((1000, 10_000), 200, 5000, 1000, 20), 60, 1, 400, 8)
_USUAL = Effort(5, 3.0, 15.0, 20, 1000, 50, _TABLE, 1000, 8, 2000, 200)


def main() -> None:
    options = _options()
    console = Console(stderr=options.json, highlight=False)
    effort = _QUICK if options.quick else replace(_USUAL, table=_WHOLE_TABLE) if options.whole else _USUAL
    effort = replace(effort, rounds=options.rounds or effort.rounds)
    parts = [options.only] if options.only else list(_PARTS)
    with ExitStack() as stack:
        server = _hapi(stack, console, parts)
        found: list[Comparison] = []
        try:
            for part in parts:
                console.print(f"[dim]{part} …[/dim]")
                for one in _compared(part, server, effort):
                    found.append(one)
        finally:
            _show(console, found, options, effort.rounds)


def _options() -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks", description="Measurements as ratios inside one run.")
    parser.add_argument("--rounds", type=int, help="rounds of A and B in turn (5)")
    parser.add_argument("--quick", action="store_true", help="one short round: whether it runs, not how fast it is")
    parser.add_argument("--whole", action="store_true", help="with ten million due rows: minutes and 10 GB more")
    parser.add_argument("--only", choices=_PARTS, help="one part alone")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout, the table on stderr")
    return parser.parse_args()


def _hapi(stack: ExitStack, console: Console, parts: list[str]) -> Server | None:
    if not {"http", "apply"} & set(parts):
        return None
    reason = hapi.unavailable()
    if reason is not None:
        console.print(f"HAPI is left out: {reason}.")
        return None
    console.print("[dim]HAPI starts …[/dim]")
    return stack.enter_context(hapi_server())


def _compared(part: str, server: Server | None, effort: Effort) -> Iterator[Comparison]:
    rounds, few = effort.rounds, min(effort.rounds, _FEW)
    comparing: dict[str, Callable[[], Iterator[Comparison]]] = {
        "http": lambda: http_tasks.compare(server, rounds, effort.seconds, effort.warm_up),
        "apply": lambda: apply_plan.compare(server, rounds, effort.seconds, effort.warm_up, effort.enrolled),
        "growth": lambda: growth.compare(rounds, effort.seconds),
        "story": lambda: story_steps.compare(rounds, effort.due),
        "due": lambda: due_work.compare(rounds, effort.seconds, effort.table),
        "planning": lambda: planning.compare(rounds, effort.planned),
        "schedulers": lambda: schedulers.compare(few, effort.effects, effort.kills),
        "workers": lambda: workers.compare(few, effort.claimed, effort.looked_at),
    }
    return comparing[part]()


def _show(console: Console, found: list[Comparison], options: Namespace, rounds: int) -> None:
    busy = f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}, {rounds} rounds"
    if options.json:
        machine = {"cores": os.cpu_count(), "load": os.getloadavg()[0], "rounds": rounds}
        sys.stdout.write(json.dumps({"machine": machine, "found": [as_json(one) for one in found]}) + "\n")
    console.print(table(found))
    for note in notes(found):
        console.print(f"[dim]{note}[/dim]")
    console.print(f"[dim]Medians over the rounds; {busy}.[/dim]")


if __name__ == "__main__":
    main()

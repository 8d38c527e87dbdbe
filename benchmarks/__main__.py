"""`make bench`: ours against HAPI or against the least the same work can cost, in one run. No thresholds."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from rich.console import Console

from benchmarks import apply_plan, growth, http_tasks, story_steps
from benchmarks.measure import Comparison
from benchmarks.servers import Server, hapi_server
from benchmarks.table import as_json, notes, table
from tests.servers import hapi

_PARTS = ("http", "apply", "growth", "story")


@dataclass(frozen=True)
class Effort:
    """How long it all takes: seconds a round and of warming up, patients enrolled a round, patients due on one day."""

    rounds: int
    seconds: float
    warm_up: float
    enrolled: int
    due: int


def main() -> None:
    options = _options()
    console = Console(stderr=options.json, highlight=False)
    rounds = options.rounds or (1 if options.quick else 5)
    effort = Effort(rounds, 0.5, 1.0, 3, 200) if options.quick else Effort(rounds, 3.0, 15.0, 20, 1000)
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
            _show(console, found, options, rounds)


def _options() -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks", description="Measurements as ratios inside one run.")
    parser.add_argument("--rounds", type=int, help="rounds of A and B in turn (5)")
    parser.add_argument("--quick", action="store_true", help="one short round: whether it runs, not how fast it is")
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
    if part == "http":
        return http_tasks.compare(server, effort.rounds, effort.seconds, effort.warm_up)
    if part == "apply":
        return apply_plan.compare(server, effort.rounds, effort.seconds, effort.warm_up, effort.enrolled)
    if part == "growth":
        return growth.compare(effort.rounds, effort.seconds)
    return story_steps.compare(effort.rounds, effort.due)


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

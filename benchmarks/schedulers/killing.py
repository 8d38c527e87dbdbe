"""A worker process of one scheduler, killed at random moments and started again until nothing is left to do."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from benchmarks.child import DidNotWork, child
from benchmarks.measure import Sample, cpu_of, memory_of

_MODULE = "benchmarks.schedulers"
_START, _END = 60.0, 180.0
_MOMENTS = (0.05, 0.6)


@dataclass(frozen=True)
class Run:
    """What it took, while a worker was at work, and how often one was killed."""

    sample: Sample
    kills: int


def planned(scheduler: str, url: str, number: int) -> None:
    """So many effects are due from now on."""
    with child(_MODULE, "plan", scheduler, url, str(number)) as planner:
        planner.ends(_END)


def worked_off(scheduler: str, url: str, number: int, kills: int, seed: int, server: Sequence[int]) -> Run:
    """Raises DidNotWork when work is left and nobody does it any more."""
    random, seconds, cpu, memory = Random(seed), 0.0, 0.0, 0
    for killed in range(kills + 1):
        with child(_MODULE, "work", scheduler, url) as worker:
            worker.says("working", _START)
            pids = [worker.pid, *server]
            began, used = time.perf_counter(), cpu_of(pids)
            last = killed == kills
            done = worker.says("done", _END if last else random.uniform(*_MOMENTS), needed=last)
            seconds += time.perf_counter() - began
            cpu += cpu_of(pids) - used
            memory = max(memory, memory_of([worker.pid]))
            if done:
                return Run(Sample(number, seconds, cpu, memory=memory), killed)
    raise DidNotWork(scheduler)

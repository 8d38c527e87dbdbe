"""Rounds of A and B in turn, and what a process costs: seconds of CPU and bytes of memory (Linux, /proc)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_GONE = (FileNotFoundError, ProcessLookupError)


@dataclass(frozen=True)
class Sample:
    """One round: how many things were done, in how many seconds, for how much CPU, and how long each one took."""

    done: int
    seconds: float
    cpu: float
    latencies: Sequence[float] = ()
    memory: int = 0

    @property
    def rate(self) -> float:
        """Things a second."""
        return self.done / self.seconds

    @property
    def cpu_each(self) -> float:
        """Seconds of CPU for one."""
        return self.cpu / self.done

    def percentile(self, percent: int) -> float:
        """Seconds that `percent` of all took at most."""
        return quantiles(self.latencies, n=100)[percent - 1] if len(self.latencies) > 1 else self.seconds / self.done


class Spread(NamedTuple):
    """What a ratio was over all rounds."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """Ours against something else over the same rounds; `other` is empty where there is nothing to compare with."""

    what: str
    against: str
    ours: Sequence[Sample]
    other: Sequence[Sample] = ()
    note: str = ""

    def rates(self) -> Spread | None:
        """How many times as many things a second as the other, round by round."""
        return _spread([ours.rate / other.rate for ours, other in self._rounds()])

    def cpu(self) -> Spread | None:
        """How many times the CPU of ours the other takes for one thing, round by round."""
        pairs = [(ours.cpu_each, other.cpu_each) for ours, other in self._rounds()]
        return _spread([other / ours for ours, other in pairs if ours and other])

    def _rounds(self) -> Iterator[tuple[Sample, Sample]]:
        return zip(self.ours, self.other, strict=False)


Run = Callable[[], Sample]


def interleaved(rounds: int, *runs: Run) -> list[list[Sample]]:
    """A B A B ...: the samples of each run, so that what disturbs the machine disturbs all alike."""
    found: list[list[Sample]] = [[] for _ in runs]
    for _ in range(rounds):
        for samples, run in zip(found, runs, strict=True):
            samples.append(run())
    return found


def timed(work: Callable[[], int]) -> Sample:
    """Work in this process, which says how many things it did."""
    began, cpu = time.perf_counter(), time.process_time()
    done = work()
    return Sample(done, time.perf_counter() - began, time.process_time() - cpu, memory=_resident(os.getpid()))


def timed_elsewhere(pids: Sequence[int], work: Callable[[], tuple[int, Sequence[float]]]) -> Sample:
    """Work that other processes do; says how many things were done and how long each took."""
    began, cpu = time.perf_counter(), cpu_of(pids)
    done, latencies = work()
    return Sample(done, time.perf_counter() - began, cpu_of(pids) - cpu, latencies, memory_of(pids))


def timed_with(server: Sequence[int], work: Callable[[], tuple[int, Sequence[float]]]) -> Sample:
    """Work in this process and its database server's; the CPU is that of both, the memory that of this one alone."""
    me = os.getpid()
    return replace(timed_elsewhere([me, *server], work), memory=_resident(me))


def run_of(work: Callable[[], int]) -> Run:
    """`timed`, to be called later."""
    return partial(timed, work)


def cpu_of(pids: Sequence[int]) -> float:
    """Seconds of CPU that processes and all their children, ended ones too, have used."""
    return sum(sum(int(ticks) for ticks in stat[11:15]) for stat in _stats(pids)) / _TICK


def memory_of(pids: Sequence[int]) -> int:
    """Resident bytes of processes and their children."""
    return sum(int(stat[21]) for stat in _stats(pids)) * _PAGE


def family(pids: Sequence[int]) -> list[int]:
    """The processes and everything they started that still runs."""
    found = list(pids)
    for pid in found:
        with suppress(*_GONE):
            found.extend(children_of(pid))
    return found


def children_of(pid: int) -> list[int]:
    """Running processes that a process started."""
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        found.extend(int(child) for child in (thread / "children").read_text().split())
    return found


def parent_of(pid: int) -> int:
    """The process that started it."""
    return int(_stat(pid)[1])


def _resident(pid: int) -> int:
    return int(_stat(pid)[21]) * _PAGE


def _stats(pids: Sequence[int]) -> Iterator[list[str]]:
    """Of the family; a child may end while we look, as a database server's do."""
    for pid in family(pids):
        with suppress(*_GONE):
            yield _stat(pid)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on; the second, a name, may hold blanks."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _spread(ratios: Sequence[float]) -> Spread | None:
    return Spread(min(ratios), median(ratios), max(ratios)) if ratios else None

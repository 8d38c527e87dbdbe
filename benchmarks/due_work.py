"""The due table as it grows: a look when nothing is due, claiming what is, and everything due at one moment."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from benchmarks.busy_day import unrecorded_surgeries
from benchmarks.clinic import Clinic
from benchmarks.databases import Databases, every_kind
from benchmarks.due_rows import AFTER, DUE, HOSPITAL, add_due, store_with
from benchmarks.measure import Comparison, Sample, interleaved, timed_with
from fhir_adapters.store.sql import SqlStore
from pathway.library import Library
from pathway.situation import Now
from schedules.duties.release import BATCH, LEASE


@dataclass(frozen=True)
class Numbers:
    """Future rows to compare, due ones of a round; future rows and due ones of the busy day; patients due then."""

    later: Sequence[int]
    due: int
    busy_later: int
    busy_due: int
    patients: int


def compare(rounds: int, seconds: float, numbers: Numbers) -> Iterator[Comparison]:
    """`seconds` for looking at a table in which nothing is due."""
    with every_kind() as kinds:
        for kind in kinds:
            yield from _grown(kind, rounds, seconds, numbers)
            yield _one_moment(kind, numbers)
            yield _with_the_plans(kind, numbers.patients)


def _grown(kind: Databases, rounds: int, seconds: float, numbers: Numbers) -> Iterator[Comparison]:
    tables = [_Table(kind, store_with(kind.new(), later), later) for later in numbers.later]
    looks = interleaved(rounds, *(partial(table.nothing_due, seconds) for table in tables))
    claims = interleaved(rounds, *(partial(table.claimed, numbers.due) for table in tables))
    for table in tables:
        table.store.engine.dispose()
    for what, (least, *more) in (("An empty tick", looks), (f"{numbers.due:,} claimed and closed", claims)):
        for later, samples in zip(numbers.later[1:], more, strict=True):
            against = f"{numbers.later[0]:,} future rows"
            yield Comparison(f"{kind.name}: {what}, {later:,} future rows", against, samples, least, "1 is flat")


@dataclass
class _Table:
    """A due table with so many future rows."""

    kind: Databases
    store: SqlStore
    later: int
    added: int = 0

    def nothing_due(self, seconds: float) -> Sample:
        def work() -> tuple[int, list[float]]:
            latencies: list[float] = []
            until = time.perf_counter() + seconds
            while (began := time.perf_counter()) < until:
                if self.store.claim_due(HOSPITAL, AFTER, BATCH, LEASE):
                    raise LookupError("Something was due")
                latencies.append(time.perf_counter() - began)
            return len(latencies), latencies

        return timed_with(self.kind.server, work)

    def claimed(self, number: int) -> Sample:
        """So many rows, which are due now, taken and closed in batches: two transactions each."""
        add_due(self.store, self.later + self.added + 1, number)
        self.added += number
        return timed_with(self.kind.server, lambda: self._closed(number))

    def _closed(self, number: int) -> tuple[int, list[float]]:
        """How many rows, and after how many seconds each was closed."""
        late: list[float] = []
        began = time.perf_counter()
        while claims := self.store.claim_due(HOSPITAL, AFTER, BATCH, LEASE):
            with self.store.transaction(HOSPITAL) as tx:
                closed = sum(tx.due.finish(claim, "done", at=AFTER) for claim in claims)
            late += [time.perf_counter() - began] * closed
        if len(late) != number:
            raise LookupError(f"{len(late)} rows were closed, not {number}")
        return number, late


def _one_moment(kind: Databases, numbers: Numbers) -> Comparison:
    table = _Table(kind, store_with(kind.new(), numbers.busy_later), numbers.busy_later)
    sample = table.claimed(numbers.busy_due)
    table.store.engine.dispose()
    what = f"{kind.name}: {numbers.busy_due:,} due at one moment among {numbers.busy_later:,} future rows"
    note = f"claims alone, no plan is looked at; p50 and p99 are from {DUE:%H:%M} to closed"
    return Comparison(f"{what}, claimed and closed", "", [sample], note=note)


def _with_the_plans(kind: Databases, patients: int) -> Comparison:
    clinic = Clinic(kind.new(), Library.load())
    unrecorded_surgeries(clinic, patients)
    sample = timed_with(kind.server, lambda: _released(clinic, patients))
    clinic.store.engine.dispose()
    what = f"{kind.name}: {patients:,} due at one moment, each with the plan looked at again"
    return Comparison(what, "", [sample], note="the whole release; p50 and p99 are from due to closed")


def _released(clinic: Clinic, patients: int) -> tuple[int, list[float]]:
    clocks = _Clocks(clinic)
    done = clinic.release(clocks)
    if done != patients:
        raise LookupError(f"{done} pieces were done, not {patients}")
    return done, clocks.closed()


@dataclass
class _Clocks:
    """The release asks for the time before each batch and each piece: before one means after the one before."""

    clinic: Clinic
    began: float = field(default_factory=time.perf_counter)
    asked: list[float] = field(default_factory=list)

    def __call__(self) -> Now:
        self.asked.append(time.perf_counter() - self.began)
        return self.clinic.now()

    def closed(self) -> list[float]:
        """Seconds until each piece was closed."""
        return [at for number, at in enumerate(self.asked) if number and number % (BATCH + 1) != 1]

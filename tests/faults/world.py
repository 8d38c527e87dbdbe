"""One world: a hospital, its people, two workers of the service, and what goes wrong, all drawn from one seed.

Everything runs in one thread. Time passes when a step says so, identifiers and delays come from the seed, and each
step draws from a generator of its own, so that a step can be left out and the others stay what they were.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from unittest.mock import patch

import structlog

from fhir_adapters.store.engine import create_engine
from fhir_adapters.store.migrate import upgrade
from fhir_adapters.store.sql import SqlStore
from pathway.library import Library
from service.demo.records import Clinic
from tests.faults import invariants, mishaps
from tests.faults.hospital import BASE, Hospital, Manners
from tests.faults.mishaps import Mishap
from tests.faults.people import OWNERS, People
from tests.faults.worker import DUTIES, HERE, Worker

STEPS = 70
_BEGIN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
_CLINICAL_BEGIN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
_TICK = timedelta(milliseconds=7)  # each look at a clock takes that long
_DAY = timedelta(days=1)
_ROUNDS = 40
_IN_TURN = ("pull", "release", "push")
_FAULTY = 0.35  # of the runs of a duty


@dataclass
class Result:
    """`violations` is empty where everything held; `left` is all that is there at the end, here and at the hospital."""

    seed: int
    trace: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)
    steps: int = 0
    left: str = field(default="", repr=False)

    def told(self) -> str:
        lines = [f"World {self.seed}", *self.trace, *(f"VIOLATED: {text}" for text in self.violations)]
        return "\n".join(lines)


def run(seed: int, steps: int = STEPS, left_out: Sequence[int] = ()) -> Result:
    """The world of a seed, from its first step to the look at what became of it, without the steps `left_out`."""
    result = Result(seed)
    with deterministic(seed), TemporaryDirectory(prefix="world-") as folder:
        world = World(seed, Path(folder), result)
        try:
            for number in range(1, steps + 1):
                if number not in left_out:
                    world.step(number)
            world.end()
            result.left = repr(invariants.everything(world))
        finally:
            world.close()
    return result


@contextmanager
def deterministic(seed: int) -> Iterator[None]:
    """Identifiers (`uuid4` asks the system for random bytes) and delays from the seed, and no log lines."""
    bytes_, before = random.Random(f"{seed}/bytes"), random.getstate()
    random.seed(f"{seed}/delays")
    try:
        with patch.object(os, "urandom", bytes_.randbytes), structlog.testing.capture_logs():
            yield
    finally:
        random.setstate(before)


class World:
    def __init__(self, seed: int, folder: Path, result: Result) -> None:
        self.seed, self.result, self.true = seed, result, _BEGIN
        first = random.Random(f"{seed}/plan")
        self.patients = [f"p{number}" for number in range(1, 1 + first.choice((1, 1, 2, 3)))]
        self.faulty = first.choice((0.0, _FAULTY, _FAULTY, 0.7))
        manners = Manners(first.choice((412, 409)), first.random() < 0.8)
        self._say(f"{len(self.patients)} patients, mishaps in {self.faulty:.0%} of the runs, {manners}")
        self.hospital = Hospital(self._look, manners)
        shutil.copy(_empty_database(), folder / "service.db")
        self.operator = SqlStore(create_engine(f"sqlite:///{folder}/service.db"), self._look)
        site = Clinic(name=HERE).site(OWNERS, "test").model_dump(mode="json")
        self.operator.register(HERE, "test", BASE, site, clinical_time=_CLINICAL_BEGIN)
        self.operator.set_status(HERE, "active")
        names = ("worker A", "worker B")
        self.workers = [Worker(n, folder / "service.db", self.hospital, _library(), self._look) for n in names]
        for worker, other in zip(self.workers, reversed(self.workers), strict=True):
            worker.gap = lambda mishap, other=other: self._goes_first(other, mishap)

    def close(self) -> None:
        for worker in self.workers:
            worker.stop()
            self.result.happened += worker.mishaps.happened
        self.operator.engine.dispose()

    @property
    def clinical(self) -> datetime:
        """In truth, whatever a worker's clock says."""
        return self.true + self.operator.hospital(HERE).clinical_offset

    def step(self, number: int) -> None:
        rng = random.Random(f"{self.seed}/{number}")
        self.true += timedelta(seconds=rng.choice((1, 5, 20, 60, 240)))
        usual = {
            self._duty: 60,
            self._event: 34,
            self._clinical_clock: 8,
            self._race: 5,
            self._wire_clock: 3,
            self._restart: 2,
        }
        act = rng.choices(list(usual), list(usual.values()))[0]
        self.result.steps += 1
        self._say(f"{number}: {act(rng)}")

    def end(self) -> None:
        """The faults are over and the clocks right; time goes on until nothing is left to do; then all is looked at."""
        for worker in self.workers:
            worker.skew = timedelta()
        self.true += _DAY + timedelta(hours=1)  # what a clock that was a day ahead put off
        self._until_quiet()
        self.result.violations += invariants.of_refusals(self)
        for days in (16, 500):
            self.operator.advance(HERE, days * _DAY)
            self._until_quiet()
        self.result.violations += invariants.all_of(self)

    # The steps

    def _duty(self, rng: random.Random) -> str:
        worker, duty = rng.choice(self.workers), rng.choice((*DUTIES, "pull", "push", "pull", "push", "release"))
        mishap = mishaps.drawn(rng, duty) if rng.random() < self.faulty else None
        outcome = worker.run(duty, mishap)
        return f"{worker.name} {duty}{f', {mishap}' if mishap else ''}: {outcome}"

    def _event(self, rng: random.Random) -> str:
        patient = rng.choice(self.patients)
        possible = People(self.hospital, rng, self.clinical).possible(patient)
        if not possible:
            return f"{patient}: nothing"
        step = rng.choices(possible, [each.weight for each in possible])[0]
        step.act()
        return f"{patient}: {step.name}"

    def _clinical_clock(self, rng: random.Random) -> str:
        forward = rng.choices(
            [timedelta(minutes=20), timedelta(hours=7), _DAY, 3 * _DAY, 8 * _DAY, 21 * _DAY, 365 * _DAY],
            [2, 3, 5, 5, 4, 2, 0.3],
        )[0]
        self.operator.advance(HERE, forward)
        return f"the clinical clock goes on by {forward}, to {self.clinical:%Y-%m-%d %H:%M}"

    def _wire_clock(self, rng: random.Random) -> str:
        worker = rng.choice(self.workers)
        worker.skew = rng.choice((-_DAY, timedelta(), _DAY))
        return f"the clock of {worker.name} is off by {worker.skew}"

    def _race(self, rng: random.Random) -> str:
        """Both do what has just fallen due; the clock of the one in the middle may say that the other's time is up."""
        first, second = rng.sample(self.workers, 2)
        forward, duty = rng.choice((_DAY, 3 * _DAY, 8 * _DAY)), rng.choice(("release", "release", *DUTIES))
        if self.faulty:
            first.skew, second.skew = timedelta(), rng.choice((timedelta(), _DAY))
        self.operator.advance(HERE, forward)
        mishap = mishaps.race(rng, duty) if self.faulty else None
        return f"the clinical clock goes on by {forward}, {first.name} {duty}: {first.run(duty, mishap)}"

    def _restart(self, rng: random.Random) -> str:
        worker = rng.choice(self.workers)
        worker.stop()
        worker.start()
        return f"{worker.name} is started again"

    def _goes_first(self, other: Worker, mishap: Mishap) -> None:
        duty = mishap.then.removeprefix(": ")
        self._say(f"   meanwhile {other.name} {duty}: {other.run(duty)}")

    def _until_quiet(self) -> None:
        """Workers take turns; what they did not get done is swept up, as every hour."""
        before = None
        for round in range(_ROUNDS):
            self.true += timedelta(minutes=6)
            worker, after = self.workers[round % 2], None
            for duty in _IN_TURN:
                self._goes_well(worker, duty)
            if (after := invariants.everything(self)) == before:
                self._goes_well(worker, "sweep")
                if invariants.everything(self) == before:
                    return
            before = after
        self.result.violations.append(f"after {_ROUNDS} rounds without faults there is still no end")

    def _goes_well(self, worker: Worker, duty: str) -> None:
        outcome = worker.run(duty)
        if not outcome.startswith("done"):
            self.result.violations.append(f"without faults, {worker.name} {duty}: {outcome}")

    def _look(self) -> datetime:
        self.true += _TICK
        return self.true

    def _say(self, text: str) -> None:
        self.result.trace.append(text)


@cache
def _library() -> Library:
    return Library.load()


@cache
def _empty_database() -> Path:
    """Made once: each world begins with a copy."""
    path = Path(mkdtemp(prefix="world-")) / "empty.db"
    engine = create_engine(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path

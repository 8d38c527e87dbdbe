"""What can go wrong in one run of a duty, and when: one kind, at the n-th time that its place is passed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Literal

Place = Literal["statement", "commit", "request", "write", "gap"]

GOES_FIRST = "the other worker goes first"
KINDS: dict[str, Place] = {
    "statement fails": "statement",
    "killed at a statement": "statement",
    "commit fails": "commit",
    "commit fails though it took effect": "commit",
    "killed before a commit": "commit",
    "killed after a commit": "commit",
    "request lost": "request",
    "answer lost": "request",
    "answered with 429": "request",
    "answered with 500": "request",
    "answered with 503": "request",
    "answered from a copy that lags behind": "request",
    "killed before a request": "request",
    "killed before the answer": "request",
    "answered with 409": "write",
    "answered with 412": "write",
    "answered with 500 though done": "write",
    "write done and its answer lost": "write",
    GOES_FIRST: "gap",
}
_FARTHEST: dict[Place, int] = {"statement": 150, "commit": 15, "request": 14, "write": 8, "gap": 20}
_PASSED: dict[str, tuple[Place, ...]] = {
    "pull": ("statement", "commit", "request", "gap"),
    "push": ("statement", "commit", "request", "write", "gap"),
    "release": ("statement", "commit", "gap"),
    "sweep": ("statement", "commit", "gap"),
}
_LASTS = ("request lost", "answered with 500", "answered with 503", "answered with 429")


class Killed(BaseException):
    """kill -9 of a worker: nothing of ours catches it."""


@dataclass(frozen=True)
class Mishap:
    """`at`: the number of the pass, from 1; `lasts`: every pass after it fails too. `then`: the other worker's duty."""

    kind: str
    at: int
    lasts: bool = False
    then: str = ""

    def __str__(self) -> str:
        return f"{self.kind} ({KINDS[self.kind]} {self.at}{' and all after it' if self.lasts else ''}{self.then})"


def drawn(rng: Random, duty: str) -> Mishap:
    """One that this duty can meet; early passes are as likely as late ones, since most runs are short."""
    place = rng.choice(_PASSED[duty])
    kind = rng.choice([kind for kind, its in KINDS.items() if its == place])
    at = int(_FARTHEST[place] ** rng.random())
    other = rng.choice((duty, *_PASSED))
    return Mishap(kind, at, kind in _LASTS and rng.random() < 0.5, f": {other}" if place == "gap" else "")


def race(rng: Random, duty: str) -> Mishap:
    """The other worker runs the same duty in the midst of it."""
    return Mishap(GOES_FIRST, rng.randint(4, 8), then=f": {duty}")


@dataclass
class Mishaps:
    """What one worker meets. `happened` counts by kind, over all runs."""

    happened: Counter[str] = field(default_factory=Counter)
    _armed: Mishap | None = None
    _passes: Counter[Place] = field(default_factory=Counter)

    def arm(self, mishap: Mishap | None) -> None:
        self._armed, self._passes = mishap, Counter()

    def passing(self, place: Place) -> Mishap | None:
        """The mishap that happens here and now, if any."""
        self._passes[place] += 1
        armed = self._armed
        if armed is None or KINDS[armed.kind] != place or self._passes[place] < armed.at:
            return None
        if not armed.lasts:
            self._armed = None
        self.happened[armed.kind] += 1
        return armed

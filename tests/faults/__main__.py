"""`python -m tests.faults`: worlds with new seeds for as long as asked, or one world again by its seed.

--seed N runs exactly that world and tells each step; --shrink then leaves out what its failure does not need.
Ends with 1 when anything was violated.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections import Counter

from tests.faults.world import STEPS, Result, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this world and tell its steps")
    parser.add_argument("--shrink", action="store_true", help="with --seed: leave out every step that can be")
    parser.add_argument("--steps", type=int, default=STEPS, help="how long a world is")
    parser.add_argument("--worlds", type=int, default=500, help="how many worlds at most")
    parser.add_argument("--minutes", type=float, default=20.0, help="how long at most")
    asked = parser.parse_args()
    return _again(asked.seed, asked.steps, asked.shrink) if asked.seed is not None else _soak(asked)


def _again(seed: int, steps: int, shrink: bool) -> int:
    result = run(seed, steps)
    if shrink and result.violations:
        result = _shrunk(result, steps)
    print(result.told())
    return bool(result.violations)


def _shrunk(result: Result, steps: int) -> Result:
    """Without ever smaller runs of steps, as long as the first violation is of the same kind."""
    left_out: list[int] = []
    size = steps // 2
    while size:
        for first in range(1, steps + 1, size):
            less = sorted({*left_out, *range(first, min(first + size, steps + 1))})
            if less == left_out:
                continue
            smaller = run(result.seed, steps, less)
            if _kinds(smaller) & _kinds(result):
                left_out, result = less, smaller
        size //= 2
    return result


def _kinds(result: Result) -> set[str]:
    """The words of each violation, without what differs from run to run."""
    return {" ".join(w for w in violation.split() if w.isalpha()) for violation in result.violations}


def _soak(asked: argparse.Namespace) -> int:
    began, steps, failed = time.monotonic(), 0, list[Result]()
    happened: Counter[str] = Counter()
    worlds = 0
    while worlds < asked.worlds and time.monotonic() - began < asked.minutes * 60:
        result = run(secrets.randbelow(10**9), asked.steps)
        worlds, steps, happened = worlds + 1, steps + result.steps, happened + result.happened
        if result.violations:
            failed.append(result)
            print(result.told(), f"Again: python -m tests.faults --seed {result.seed}", sep="\n", flush=True)
        if sys.stderr.isatty():
            print(f"\r{worlds} worlds, {len(failed)} failed", end="", file=sys.stderr, flush=True)
    print(f"{worlds} worlds, {steps} steps, {time.monotonic() - began:.0f} s, {happened.total()} mishaps:")
    print(*(f"  {number} {kind}" for kind, number in happened.most_common()), sep="\n")
    print(f"{len(failed)} worlds failed{': seeds ' if failed else ''}{', '.join(str(r.seed) for r in failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())

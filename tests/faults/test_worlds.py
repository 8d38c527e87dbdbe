"""A few worlds in which everything fails that can: the follow-up is there all the same, once. `make soak` runs more."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.world import run

SEEDS = range(1, 13)
STEPS = 36
_DIGEST = "import sys; from tests.faults import test_worlds; print(test_worlds.digest(int(sys.argv[1])))"


def digest(seed: int) -> str:
    """Of all that happened in a world, and of all that is there at its end."""
    result = run(seed, steps=30)
    return hashlib.sha256("\n".join([*result.trace, result.left]).encode()).hexdigest()


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_fails_the_follow_up_is_there_once(seed: int) -> None:
    result = run(seed, STEPS)
    assert not result.violations, f"{result.told()}\nAgain: python -m tests.faults --seed {seed} --steps {STEPS}"


def test_a_seed_is_the_same_world_in_every_process() -> None:
    root = Path(__file__).parents[2]

    def elsewhere(hash_seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", _DIGEST, "5"]
        return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True).stdout

    assert elsewhere("1") == f"{digest(5)}\n"


def test_a_step_that_is_left_out_leaves_the_others_as_they_are() -> None:
    whole, less = run(5, steps=12).trace, run(5, steps=12, left_out=[12]).trace
    assert less == whole[:-1]
    assert whole[-1].startswith("12: ")

"""kill -9 of the service at every act of the story: the hospital ends with exactly one of everything."""

from __future__ import annotations

import random
import time
from pathlib import Path
from threading import Thread

import pytest

from service.demo.acts import Act
from service.demo.story import STORIES, play
from tests.service.test_stories import (
    Theatre,
    assert_every_task_has_an_owner,
    assert_exactly_one_of_everything,
    of_ours,
    theatre,
    told,
)

EXPECTED = {"CarePlan": 1, "ServiceRequest": 1, "Appointment": 1, "CommunicationRequest": 1}
SPARED = ("hospital-records",)


def killed_and_restarted(played: Theatre, delay: float) -> Thread:
    def fall_and_rise() -> None:
        time.sleep(delay)
        played.service.kill()
        played.service.start()

    thread = Thread(target=fall_and_rise)
    thread.start()
    return thread


@pytest.mark.parametrize("seed", [7, 11])
def test_the_story_survives_a_kill_in_every_act(seed: int, tmp_path: Path) -> None:
    delays = random.Random(seed)
    threads: list[Thread] = []

    with theatre(tmp_path, STORIES["default"], None) as stage:

        def before(act: Act) -> None:
            if threads:
                threads.pop().join()
            if act.__name__.replace("_", "-") not in SPARED:
                threads.append(killed_and_restarted(stage, delays.uniform(0.0, 0.6)))

        played = play(STORIES["default"], stage.stage, lambda _: None, before)
        for thread in threads:
            thread.join()
        assert played.ok, told(played)
        assert_exactly_one_of_everything(stage.stage)
        assert_every_task_has_an_owner(stage.stage)
        assert {type: len(of_ours(stage.stage, type)) for type in EXPECTED} == EXPECTED

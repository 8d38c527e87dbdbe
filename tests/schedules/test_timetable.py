"""The clock: duties in turn, each with a sign of life, and none that can stop the others."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from pathway.errors import Unreachable
from schedules.timetable import Duty, Timetable


class Diary:
    """What ran and what was noted, in order."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.beats: list[tuple[str, str]] = []

    def duty(self, name: str, every: float = 3600, fails: Exception | None = None) -> Duty:
        def run() -> int:
            self.ran.append(name)
            if fails is not None:
                raise fails
            return len(self.ran)

        return Duty(name, every, run)

    def beat(self, name: str, note: str) -> None:
        self.beats.append((name, note))

    def timetable(self, *duties: Duty) -> Timetable:
        return Timetable(lambda: duties, self.beat)


@pytest.fixture
def diary() -> Diary:
    return Diary()


def test_duties_run_in_order_and_say_what_they_did(diary: Diary) -> None:
    diary.timetable(diary.duty("pull"), diary.duty("push")).run_due()
    assert diary.ran == ["pull", "push"]
    assert diary.beats == [("pull", "done: 1"), ("push", "done: 2")]


def test_a_duty_waits_for_its_turn(diary: Diary) -> None:
    timetable = diary.timetable(diary.duty("pull", every=3600), diary.duty("release", every=0))
    timetable.run_due()
    timetable.run_due()
    assert diary.ran == ["pull", "release", "release"]


def test_all_of_them_can_be_run_now(diary: Diary) -> None:
    timetable = diary.timetable(diary.duty("pull"), diary.duty("push"))
    timetable.run_due()
    timetable.run_due(now=True)
    assert diary.ran == ["pull", "push", "pull", "push"]


def test_a_duty_that_raises_does_not_stop_the_others_nor_itself(diary: Diary) -> None:
    timetable = diary.timetable(
        diary.duty("broken", fails=ZeroDivisionError("Eva Huber")),
        diary.duty("down", fails=Unreachable("The hospital is down")),
        diary.duty("release"),
    )
    timetable.run_due()
    timetable.run_due(now=True)
    assert diary.ran == ["broken", "down", "release"] * 2
    assert diary.beats[:3] == [
        ("broken", "failed: ZeroDivisionError"),
        ("down", "failed: The hospital is down"),
        ("release", "done: 3"),
    ]


def test_a_heartbeat_that_fails_does_not_stop_the_duties(diary: Diary) -> None:
    def beat(_name: str, _note: str) -> None:
        raise OSError("disk full")

    duties = [diary.duty("pull"), diary.duty("push")]
    Timetable(lambda: duties, beat).run_due()
    assert diary.ran == ["pull", "push"]


def test_the_same_news_is_no_new_sign_of_life_at_once(diary: Diary) -> None:
    timetable = diary.timetable(Duty("release", 0, lambda: 0))
    for _ in range(3):
        timetable.run_due()
    assert diary.beats == [("release", "done: 0")]


def test_duties_that_cannot_be_listed_are_listed_again_next_time(diary: Diary) -> None:
    known: list[Sequence[Duty]] = []
    timetable = Timetable(lambda: known[0], diary.beat)
    timetable.run_due()
    assert diary.ran == []
    known.append([diary.duty("pull")])
    timetable.run_due()
    assert diary.ran == ["pull"]


def test_a_duty_that_appears_later_runs(diary: Diary) -> None:
    duties = [diary.duty("pull north")]
    timetable = Timetable(lambda: list(duties), diary.beat)
    timetable.run_due()
    duties.append(diary.duty("pull south"))
    timetable.run_due()
    assert diary.ran == ["pull north", "pull south"]


def test_the_clock_ticks_by_itself_until_it_is_stopped() -> None:
    ran = threading.Semaphore(0)
    many = Duty("tick", 0, lambda: ran.release() or 1)
    timetable = Timetable(lambda: [many], lambda _name, _note: None, tick=0.01)
    timetable.start()
    assert all(ran.acquire(timeout=10) for _ in range(3))
    timetable.stop()
    while ran.acquire(blocking=False):
        pass
    assert not ran.acquire(timeout=0.1)


def test_two_ticks_never_run_at_the_same_time(diary: Diary) -> None:
    inside, most, runs = [0], [0], [0]
    gate = threading.Event()

    def run() -> int:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        gate.wait(0.05)
        inside[0] -= 1
        runs[0] += 1
        return 0

    timetable = Timetable(lambda: [Duty("slow", 0, run)], diary.beat)
    threads = [threading.Thread(target=timetable.run_due) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runs == [3]
    assert most == [1]

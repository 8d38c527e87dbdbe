"""A tick that does not come is said, and said again, and so is its return."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from structlog.testing import capture_logs

from schedules.timetable import Duty, Timetable
from schedules.watchdog import Watchdog


def until(look: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not look():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_silence_is_said_for_every_period_and_its_end_once() -> None:
    silence, began = threading.Event(), time.monotonic()
    silence.set()
    with capture_logs() as logs:
        watchdog = Watchdog(lambda: began if silence.is_set() else time.monotonic(), patience=0.2)
        watchdog.start()
        until(lambda: [entry["event"] for entry in logs].count("tick.late") >= 2)
        silence.clear()
        until(lambda: any(entry["event"] == "tick.back" for entry in logs))
        watchdog.stop()
    late = [entry for entry in logs if entry["event"] == "tick.late"]
    assert {entry["log_level"] for entry in late} == {"error"}
    assert late[0]["seconds"] < late[1]["seconds"]
    assert [entry["event"] for entry in logs].count("tick.back") == 1


def test_a_duty_that_hangs_is_noticed_and_the_process_goes_on() -> None:
    gate = threading.Event()
    hanging = Duty("north.pull", 0, lambda: gate.wait(60) and 0)
    with capture_logs() as logs:
        timetable = Timetable(lambda: [hanging], lambda _name, _note: None, tick=0.01, patience=0.2)
        timetable.start()
        until(lambda: any(entry["event"] == "tick.late" for entry in logs))
        gate.set()
        until(lambda: any(entry["event"] == "tick.back" for entry in logs))
        timetable.stop()


def test_nothing_is_said_while_it_ticks() -> None:
    ran = threading.Semaphore(0)
    quick = Duty("quick", 0, lambda: ran.release() or 1)
    with capture_logs() as logs:
        timetable = Timetable(lambda: [quick], lambda _name, _note: None, tick=0.01, patience=5)
        timetable.start()
        assert all(ran.acquire(timeout=10) for _ in range(5))
        timetable.stop()
    assert logs == []

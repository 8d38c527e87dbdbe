"""`python -m benchmarks.schedulers (plan MODULE URL NUMBER | work MODULE URL)`: one process, which may be killed."""

from __future__ import annotations

import importlib
import sys

from benchmarks.child import say, wait_for_go


def main(what: str, name: str, url: str, number: str = "") -> None:
    """Whoever works says when it begins and when nothing is left."""
    scheduler = importlib.import_module(f"benchmarks.schedulers.{name}")
    if what == "plan":
        scheduler.plan(url, int(number))
        return
    scheduler.work(url, lambda: say("working"))
    say("done")
    wait_for_go()


if __name__ == "__main__":
    main(*sys.argv[1:])

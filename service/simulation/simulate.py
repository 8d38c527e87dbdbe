"""A whole simulation: the present rules, and changed ones beside them for the same patients."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from pathway.codes import PLAN
from pathway.errors import Refused
from pathway.library import Library
from pathway.site import Site
from schedules.calendar import OpenDays
from service.simulation.changing import Moved, changed, moved, usable
from service.simulation.counting import Counted, counted
from service.simulation.people import people
from service.simulation.reduced import reduced
from service.simulation.running import Course
from service.simulation.scenario import Scenario
from service.simulation.world import new_world

_LEAD = timedelta(days=40)  # the first patients are referred before the first week
_OBJECTS = 100_000  # new ones before the collector looks for cycles
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Outcome:
    """What came of it; `after` and `moved` when rules were to be changed, which are `changes`."""

    scenario: Scenario
    site: Site
    before: Counted
    changes: Sequence[str] = ()
    after: Counted | None = None
    moved: Moved | None = None
    capacity_after: int | None = None

    @property
    def capacity(self) -> int | None:
        """Visits a day by the rules as they are."""
        return self.site.calendar.capacity

    def as_json(self) -> dict[str, Any]:
        """For machines; ends with the six numbers that say whether the promise was kept."""
        totals = asdict(self.before.totals)
        with_people = totals.pop("with_people")
        detail = {
            "scenario": self.scenario.model_dump(mode="json"),
            "calendar": self.site.calendar.model_dump(mode="json"),
            **_told(self.before),
        }
        if self.after and self.moved:
            detail["change"] = {
                "rules": list(self.changes),
                **asdict(self.moved),
                **_told(self.after),
                "totals": asdict(self.after.totals),
            }
        found: dict[str, Any] = _plain({**detail, "with_people": with_people, **totals})
        return found


def simulate(
    library: Library,
    site: Site,
    scenario: Scenario,
    changes: Sequence[str] = (),
    progress: Progress = lambda *_: None,
) -> Outcome:
    """Both runs, if there is something to change. `progress` is told what is at work and how far it is, 0 to 1.

    Raises Refused for a rule that cannot be changed so, a site that lacks something, and a calendar without a day of
    surgery or without a place for a visit.
    """
    usable(site, library)
    content = library if scenario.whole else reduced(library, PLAN)
    simulated = site.model_copy(update={"kind": "demo"})
    other = changed(simulated, content, changes) if changes else None
    before = _run(content, simulated, scenario, lambda share: progress("the present rules", share))
    if other is None:
        return Outcome(scenario, site, before)
    after = _run(content, other, scenario, lambda share: progress("the changed rules", share))
    return Outcome(
        scenario, site, before, changes, after, moved(before.visit_of, after.visit_of), other.calendar.capacity
    )


def _run(library: Library, site: Site, scenario: Scenario, progress: Callable[[float], None]) -> Counted:
    theatre = OpenDays(site.calendar.model_copy(update={"weekdays": scenario.surgery_days, "closures": ()}))
    everybody = people(scenario, theatre)
    if not everybody:
        raise Refused(f"There is no day of surgery from {scenario.start} to {scenario.last}")
    first, length = scenario.start - _LEAD, _LEAD.days + 7 * scenario.weeks
    with _rarely_collecting(), new_world(library, site, datetime.combine(first, time(), UTC)) as world:
        course = Course(world, scenario, everybody)
        course.run(lambda day: progress(max(0.0, (day - first).days / length)))
        return counted(course)


@contextmanager
def _rarely_collecting() -> Iterator[None]:
    """Nearly all that a run makes is gone at once: looking for cycles as often as usual costs a tenth of the time."""
    usual = gc.get_threshold()
    gc.set_threshold(_OBJECTS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _told(found: Counted) -> dict[str, Any]:
    return {
        "weeks": [asdict(week) for week in found.weeks],
        "days": [asdict(day) for day in found.days],
        "reminders": found.reminders,
        "tasks": dict(found.tasks),
        "put_aside": found.put_aside,
        "mended": found.sweep.mended,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value

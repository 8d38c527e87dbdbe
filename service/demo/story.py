"""The stories: which acts, in which order, on which days; and playing one with a record of every step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pathway.errors import PathwayError, Rejected
from pathway.keys import key_of
from pathway.ports import Resource, search_all
from pathway.references import reference_to
from pathway.situation import AUTHORED_TYPES
from service.demo import acts
from service.demo.acts import Act
from service.demo.records import Clinic
from service.demo.stage import Days, Stage, StoryFailed

_OPENING: tuple[Act, ...] = (acts.hospital_records, acts.registered, acts.referred, acts.indications)
_TO_BOOKING: tuple[Act, ...] = (*_OPENING, acts.decided_surgery, acts.booked_surgery)
_TO_SURGERY: tuple[Act, ...] = (*_TO_BOOKING, acts.prepared, acts.moved_surgery, acts.operated)
_EASTER = Days(referral=date(2026, 3, 9), planned=date(2026, 3, 20), surgery=date(2026, 3, 24))
_CLOSED = ({"first": "2026-04-02", "last": "2026-04-02", "reason": "staff training"},)


@dataclass(frozen=True)
class Story:
    """A story and what it is about."""

    title: str
    acts: tuple[Act, ...]
    days: Days = field(default_factory=Days)
    clinic: Clinic = field(default_factory=Clinic)


STORIES: Mapping[str, Story] = {
    "default": Story(
        "From referral to the follow-up visit", (*_TO_SURGERY, acts.booked_visit, acts.reminded, acts.visited)
    ),
    "conservative": Story("The decision is against surgery", (*_OPENING, acts.decided_conservative)),
    "red-flag": Story("Fever on day 3", (*_TO_SURGERY, acts.fever)),
    "nobody-comes": Story("No visit by day 14", (*_TO_SURGERY, acts.nobody_came)),
    "never-recorded": Story("The surgery is never recorded", (*_TO_BOOKING, acts.never_recorded)),
    "staged": Story(
        "A second, staged operation", (*_TO_SURGERY, acts.booked_visit, acts.visited, acts.staged_operation)
    ),
    "holiday": Story(
        "Day 10 is Good Friday, and the clinic is closed the day before", _TO_SURGERY, _EASTER, Clinic(closures=_CLOSED)
    ),
}


@dataclass(frozen=True)
class Step:
    """An act that was played: when by the clinical clock, and what a person reads; `error` when it failed."""

    name: str
    at: str
    text: str
    ok: bool = True

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "ok": self.ok, "at": self.at, "text": self.text}


@dataclass
class Played:
    """A story with its steps, in the order they happened."""

    story: Story
    steps: list[Step] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return len(self.steps) == len(self.story.acts) and all(step.ok for step in self.steps)


def play(
    story: Story, stage: Stage, tell: Callable[[Step], None], before: Callable[[Act], None] = lambda _: None
) -> Played:
    """Play all acts; stops at the first that fails. `before` is called ahead of each."""
    played = Played(story)
    for act in story.acts:
        before(act)
        name = act.__name__.replace("_", "-")
        try:
            text, ok = act(stage), True
        except PathwayError as error:
            text, ok = str(error), False
        step = Step(name, stage.now.isoformat() if stage.now else "", text, ok)
        played.steps.append(step)
        tell(step)
        if not ok:
            break
    return played


def summary(played: Played, stage: Stage) -> dict[str, Any]:
    """The result as the one JSON object that `--json` prints."""
    found = {type: _of_ours(stage, type) for type in _SENT_TYPES}
    follow_up = _follow_up(stage, found)
    plans = found["CarePlan"]
    return {
        "careplan": plans[0] if plans else None,
        "hospital": {
            "base": stage.hospital.base,
            "resources": {type: len(refs) for type, refs in found.items() if refs},
        },
        "surgery": stage.days.surgery.isoformat(),
        "follow_up": follow_up,
        "steps": [step.as_json() for step in played.steps],
    }


_SENT_TYPES = ("CarePlan", *AUTHORED_TYPES)


def _of_ours(stage: Stage, type: str) -> list[str]:
    if not stage.patient:
        return []
    try:
        found = list(search_all(stage.hospital, type, [("patient", stage.patient), ("_count", "200")]))
    except Rejected:
        return []  # not every server can be asked for every type: sekmet knows no Goal of a patient
    return [reference_to(resource) for resource in found if key_of(resource)]


def _follow_up(stage: Stage, found: Mapping[str, Sequence[str]]) -> dict[str, Any] | None:
    tasks = stage.ours("Task", "fu-first-visit") if found["Task"] else []
    if not tasks:
        return None
    appointments = stage.ours("Appointment", "fu-first-visit-appointment")
    proposed = appointments[0] if appointments else {}
    period: Resource = next(iter(proposed.get("requestedPeriod", [])), {})
    return {
        "task": reference_to(tasks[0]),
        "window": tasks[0].get("restriction", {}).get("period"),
        "date": period.get("start") or str(proposed.get("start", ""))[:10] or None,
        "why": proposed.get("comment"),
    }


def story_named(name: str) -> Story:
    """Raises StoryFailed with the names there are."""
    if name not in STORIES:
        raise StoryFailed(f"There is no story {name!r}; there are: {', '.join(STORIES)}")
    return STORIES[name]

"""What there is of the follow-up visit after each surgery that took place. Pure; reads, and proposes nothing.

The visit of an operation is what the plan makes an Appointment of at days after it; its Task is the action that runs
`concurrent` with that Appointment (fu-first-visit).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pathway import codes
from pathway.context import Context, Scope
from pathway.occurrences import scopes_of
from pathway.outline import Outline, walk
from pathway.patients import died
from pathway.ports import Resource
from pathway.references import reference_to
from pathway.site import coding_of
from pathway.surgery import Surgery
from pathway.tasks import is_open
from pathway.timing import Window, calendar_date, offsets
from pathway.when import own_window

_TOOK_PLACE = ("completed", "fulfilled")
Standing = Literal["planned", "with-people", "missing"]


@dataclass(frozen=True)
class FollowUp:
    """The visit after one surgery.

    `standing`: `planned` (it is asked for, or took place), `with-people` (somebody at the hospital ended it, left it
    out or is asked about it) or `missing`. `inside`: its day, or while there is none the days it is asked for, lie in
    the plan's own window.
    """

    occurrence: str
    standing: Standing
    inside: bool = False


def follow_ups(context: Context) -> list[FollowUp]:
    """One for each surgery of the plan that took place. Raises PathwayError when they cannot be worked out.

    Of a patient who died people are asked what becomes of the plan.
    """
    dead = died(context.situation.subject) is not None
    return [
        FollowUp(scope.occurrence, "with-people") if dead else _follow_up(context, action, scope, scope.surgery)
        for action in context.actions.values()
        if context.is_surgery(action)
        for scope in scopes_of(context, action, Scope())
        if scope.surgery is not None and scope.surgery.done_on is not None
    ]


def _follow_up(context: Context, action: Resource, scope: Scope, surgery: Surgery) -> FollowUp:
    visits = visits_of(context.outline, action)
    steps = [*visits, *tasks_of(context.outline, action, visits)]
    known = [r for step in steps if (r := context.existing(step, scope)) and r["status"] != "entered-in-error"]
    standing = [r for r in known if is_open(r) or r["status"] in _TOOK_PLACE]
    if standing:
        windows = [days for visit in visits if (days := own_window(context, visit, scope))]
        return FollowUp(scope.occurrence, "planned", _inside(context, standing, windows))
    left_out = any((said := context.individual(s, scope)) and said.change == "skip" for s in steps)
    in_hand = known or left_out or _is_asked(context, surgery.request)
    return FollowUp(scope.occurrence, "with-people" if in_hand else "missing")


def visits_of(outline: Outline, surgery: Resource) -> list[Resource]:
    """The actions that make an Appointment at days after a surgery."""
    below = [inner for inner in walk(surgery.get("action", [])) if outline.kinds.get(inner["id"]) == "Appointment"]
    return [visit for visit in below if any(_follows(related, surgery) for related in visit.get("relatedAction", []))]


def tasks_of(outline: Outline, surgery: Resource, visits: Sequence[Resource]) -> list[Resource]:
    """The actions that make the Tasks of these visits."""
    alongside = {visit["id"] for visit in visits}
    return [
        inner
        for inner in walk(surgery.get("action", []))
        if outline.kinds.get(inner["id"]) == "Task"
        and any(
            r["relationship"] == "concurrent" and r["actionId"] in alongside for r in inner.get("relatedAction", [])
        )
    ]


def _follows(related: Resource, surgery: Resource) -> bool:
    after = str(related["relationship"]).startswith("after")
    return after and related["actionId"] == surgery["id"] and offsets(related) is not None


def _inside(context: Context, standing: Sequence[Resource], windows: Sequence[Window]) -> bool:
    """The Appointments say the day; while none has one, the Tasks say the days."""
    zone = context.situation.site.zone
    booked = [r for r in standing if r["resourceType"] == "Appointment" and _period(r)]
    days = [calendar_date(day, zone) for r in booked or standing for day in _period(r)]
    return bool(days) and all(
        day is not None and any(w.first and w.last and w.first <= day <= w.last for w in windows) for day in days
    )


def _period(resource: Resource) -> list[str]:
    if "start" in resource:
        return [str(resource["start"])]
    restriction: list[Resource] = [resource.get("restriction", {}).get("period", {})]
    periods: list[Resource] = resource.get("requestedPeriod") or restriction
    return [str(period[end]) for period in periods for end in ("start", "end") if end in period]


def _is_asked(context: Context, order: Resource | None) -> bool:
    """Whether a person has an open question about the order of the surgery."""
    named = reference_to(order) if order else None
    questions = [t for t in context.situation.of_type("Task") if coding_of(t.get("reasonCode"), codes.REVIEW_REASON)]
    return any(is_open(t) and t.get("focus", {}).get("reference") == named for t in questions)

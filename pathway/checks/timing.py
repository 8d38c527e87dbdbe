"""Whether an action can ever get its day: whole days from something that has a date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from pathway.checks.places import Place
from pathway.errors import InvalidDefinition
from pathway.nested import has_offset
from pathway.ports import Resource
from pathway.timing import offset_days


def timing_problems(plan: Sequence[Place]) -> Iterator[tuple[str, str]]:
    """What is wrong with the relatedActions of a plan's actions."""
    by_id = {place.id: place for place in plan}
    for place in plan:
        related = place.action.get("relatedAction", [])
        if sum(map(has_offset, related)) > 1:
            yield f"{place.path}.relatedAction", "an action has one time: only one offset can count"
        for number, one in enumerate(related):
            yield from _related_problems(place, one, f"{place.path}.relatedAction[{number}]", by_id)
    for circle in _circles(plan):
        yield "PlanDefinition.action", f"actions are timed from each other: {' -> '.join(circle)}"


def limit_problems(activity: Resource) -> Iterator[tuple[str, str]]:
    """What is wrong with the time in which the Task of an activity has to be answered."""
    quantity, path = activity.get("timingDuration"), "ActivityDefinition.timingDuration"
    if quantity is None:
        return
    if activity.get("kind") != "Task":
        yield path, f"a limit is the period of a Task; this is of the kind {activity.get('kind')}"
    if quantity.get("code") not in ("min", "h"):
        yield from _days_problems(quantity, path)
    elif not isinstance(quantity.get("value"), int | float | Decimal) or quantity["value"] <= 0:
        yield f"{path}.value", "must be more than nothing"


def _related_problems(
    place: Place, related: Resource, path: str, by_id: Mapping[str, Place]
) -> Iterator[tuple[str, str]]:
    anchor, concurrent = by_id.get(related["actionId"]), related["relationship"].startswith("concurrent")
    if anchor is None:
        yield f"{path}.actionId", f"there is no action '{related['actionId']}'"
    if not has_offset(related):
        if not concurrent:
            yield path, f"'{related['relationship']}' needs an offset, offsetDuration or offsetRange"
        return
    if concurrent:
        yield path, f"'{related['relationship']}' takes no offset"
    yield from _offset_problems(related, path)
    if anchor is not None and not _has_date(anchor, place):
        yield (
            f"{path}.actionId",
            f"'{anchor.id}' never has a date for this action: an anchor is a ServiceRequest above it that comes once "
            "per trigger (cardinalityBehavior multiple), an Appointment of the same occurrence without start "
            "condition, or the group that comes once per Task or CommunicationRequest",
        )


def _has_date(anchor: Place, place: Place) -> bool:
    if anchor.kind == "ServiceRequest":
        return anchor in place.above and anchor.repeats
    if anchor.kind is None:
        return anchor is place.occurrence and _types(anchor) <= {"Task", "CommunicationRequest"}
    same = anchor.occurrence is place.occurrence
    return anchor.kind == "Appointment" and anchor is not place and same and not anchor.conditions("start")


def _types(anchor: Place) -> set[str]:
    return {str(data.get("type")) for trigger in anchor.action["trigger"] for data in trigger.get("data", [])}


def _offset_problems(related: Resource, path: str) -> Iterator[tuple[str, str]]:
    if "offsetDuration" in related:
        yield from _days_problems(related["offsetDuration"], f"{path}.offsetDuration")
        return
    ends = {end: related["offsetRange"].get(end) for end in ("low", "high")}
    wrong = list(_range_problems(ends, f"{path}.offsetRange"))
    yield from wrong
    if not wrong and offset_days(ends["low"] or {}) > offset_days(ends["high"] or {}):
        yield f"{path}.offsetRange", "low is more than high"


def _range_problems(ends: Mapping[str, Resource | None], path: str) -> Iterator[tuple[str, str]]:
    for end, quantity in ends.items():
        if quantity is None:
            yield path, f"there is no {end}"
        else:
            yield from _days_problems(quantity, f"{path}.{end}")


def _days_problems(quantity: Resource, path: str) -> Iterator[tuple[str, str]]:
    try:
        days = offset_days(quantity)
    except InvalidDefinition as error:
        yield path, str(error)
        return
    if days < 0:
        yield path, "is negative: say before or after as the relationship"
    if "comparator" in quantity:
        yield f"{path}.comparator", "is not supported by this engine"


def _circles(plan: Sequence[Place]) -> Iterator[tuple[str, ...]]:
    """Actions that are timed from each other, each circle once, from its first action on."""
    timed_from = {
        place.id: [r["actionId"] for r in place.action.get("relatedAction", []) if has_offset(r)] for place in plan
    }
    seen: set[frozenset[str]] = set()
    for start in timed_from:
        circle = _circle(start, timed_from, ())
        if circle and frozenset(circle) not in seen:
            seen.add(frozenset(circle))
            yield circle


def _circle(id: str, timed_from: Mapping[str, Sequence[str]], before: tuple[str, ...]) -> tuple[str, ...]:
    """The way back to the first of `before`, if there is one."""
    if id in before:
        return (*before, id) if id == before[0] else ()
    ways = (_circle(anchor, timed_from, (*before, id)) for anchor in timed_from.get(id, []))
    return next((way for way in ways if way), ())

"""What is wrong with a plan together with the plans nested in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from pathway.checks.places import Place, places
from pathway.nested import Definitions, cycle, expand, has_offset, nested_in, nested_plan_of, pinned
from pathway.ports import Resource


def whole_problems(plan: Resource, definitions: Definitions, plans: Sequence[Resource]) -> Iterator[tuple[str, str]]:
    """What can only be seen once nested plans are in their place. A place inside one is named by the action above.

    A plan that another of `plans` contains is looked at there.
    """
    if circle := cycle(plan, definitions):
        yield "PlanDefinition.action", f"plans contain each other: {' -> '.join(circle)}"
        return
    if any(pinned(plan) in map(pinned, nested_in(other, definitions)) for other in plans):
        return
    whole = expand(plan, definitions)
    found = places(whole, definitions)
    yield from _clashes(plan, found)
    goals = Counter(goal["id"] for goal in whole.get("goal", []) if "id" in goal)
    for goal in (id for id, times in goals.items() if times > 1):
        yield "PlanDefinition.goal", f"the id '{goal}' is used by several goals, here or in nested plans"
    for place in found:
        where, who = _seen_from(place)
        untimed = not any(has_offset(related) for related in place.action.get("relatedAction", []))
        if place.kind is not None and untimed:
            for condition in place.conditions("start"):
                yield where or condition, f"{who}a start condition is looked at on a day: it needs an offset"
        outer = [above for above in place.above if above.repeats]
        if place.repeats and outer and (place.kind is not None or len(outer) > 1):
            text = "what comes several times inside of what does is not supported, but for a group inside of one"
            yield where or place.path, f"{who}{text}"


def _clashes(plan: Resource, found: list[Place]) -> Iterator[tuple[str, str]]:
    own, seen = pinned(plan), dict[str, Place]()
    for place in found:
        first = seen.setdefault(place.id, place)
        origins = [_origin(one) or own for one in (first, place)]
        where, _ = _seen_from(place)
        if first is not place and where:
            yield where, f"the id '{place.id}' is used by {origins[0]} and again by {origins[1]}"


def _origin(place: Place) -> str | None:
    return next((name for one in reversed(place.above) if (name := nested_plan_of(one.action))), None)


def _seen_from(place: Place) -> tuple[str | None, str]:
    """For an action of a nested plan: the path of the action that brought it in, and the words that name it."""
    outer = next((one.path for one in place.above if nested_plan_of(one.action)), None)
    return outer, f"action '{place.id}' of {_origin(place)}: " if outer else ""

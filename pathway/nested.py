"""Plans inside plans: an action that names a PlanDefinition becomes a group of that plan's actions.

R4 applies the named plan below the action (https://hl7.org/fhir/R4/plandefinition.html#12.18.3.3). What the action says
of its place in time counts for the actions of the named plan that say nothing themselves: a plan cannot name the
surgery of the plan that contains it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from pathway.elements import actions_of
from pathway.ports import Resource

INSTANTIATES = "http://hl7.org/fhir/StructureDefinition/workflow-instantiatesCanonical"


class Definitions(Protocol):
    """What knows the definitions by their canonical url."""

    def find(self, canonical: str, *kinds: str) -> Resource | None: ...


def pinned(definition: Resource) -> str:
    """The canonical of exactly this version: url|version."""
    return f"{definition['url']}|{definition['version']}"


def nested_plan_of(action: Resource) -> str | None:
    """The url|version of the plan that a group of an expanded plan came from; None for any other action."""
    found = (e["valueCanonical"] for e in action.get("extension", []) if e["url"] == INSTANTIATES)
    return next(found, None)


def expand(plan: Resource, definitions: Definitions, above: Sequence[str] = ()) -> Resource:
    """The plan with the actions of each nested plan below the action that names it, and their goals after its own.

    Such an action loses `definitionCanonical` and says by the extension workflow-instantiatesCanonical which plan it
    was. A plan that nests none is returned as it is. An action that names one of the plans `above` it stays as it is.
    """
    above = (*above, plan["url"])
    named = {name: one for name, one in _named_by(plan, definitions).items() if one["url"] not in above}
    nested = {name: expand(one, definitions, above) for name, one in named.items()}
    if not nested:
        return plan
    goals = [*plan.get("goal", []), *(goal for one in nested.values() for goal in one.get("goal", []))]
    actions = [_placed(action, nested) for action in plan["action"]]
    return {**plan, "action": actions, **({"goal": goals} if goals else {})}


def cycle(plan: Resource, definitions: Definitions, above: Sequence[str] = ()) -> tuple[str, ...]:
    """The urls of plans that contain each other, from this plan on; empty when none do."""
    if plan["url"] in above:
        return (*above, plan["url"])
    for nested in nested_in(plan, definitions):
        if circle := cycle(nested, definitions, (*above, plan["url"])):
            return circle
    return ()


def nested_in(plan: Resource, definitions: Definitions) -> list[Resource]:
    """The plans that actions of this plan name."""
    return list(_named_by(plan, definitions).values())


def _named_by(plan: Resource, definitions: Definitions) -> Mapping[str, Resource]:
    names = [str(action["definitionCanonical"]) for _, action in actions_of(plan) if "definitionCanonical" in action]
    return {name: found for name in names if (found := definitions.find(name, "PlanDefinition")) is not None}


def _placed(action: Resource, nested: Mapping[str, Resource]) -> Resource:
    inner = [_placed(child, nested) for child in action.get("action", [])]
    plan = nested.get(action.get("definitionCanonical", ""))
    if plan is None:
        return {**action, "action": inner} if inner else action
    related = action.get("relatedAction", [])
    group = {name: value for name, value in action.items() if name not in ("definitionCanonical", "relatedAction")}
    origin = {"url": INSTANTIATES, "valueCanonical": pinned(plan)}
    below = [*inner, *(_timed(child, related) for child in plan.get("action", []))]
    return {**group, "extension": [*action.get("extension", []), origin], "action": below}


def _timed(action: Resource, related: Sequence[Resource]) -> Resource:
    own = action.get("relatedAction", [])
    if not related or any(has_offset(one) for one in own):
        return action
    if "definitionCanonical" in action or not action.get("action"):
        action = {**action, "relatedAction": [*own, *related]}
    if "action" not in action:
        return action
    return {**action, "action": [_timed(child, related) for child in action["action"]]}


def has_offset(related: Resource) -> bool:
    """Whether a relatedAction says how many days lie between."""
    return "offsetDuration" in related or "offsetRange" in related

"""The goals of a plan as Goal resources: PlanDefinition.goal, proposed for one patient (12.18.3.3, step 2)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pathway.context import Context
from pathway.keys import action_key, id_of
from pathway.ports import Resource
from pathway.references import reference_to

_TARGET = ("measure", "detailQuantity", "detailRange", "detailCodeableConcept")


def goals(context: Context, included: Collection[str]) -> dict[str, Resource]:
    """The proposed Goals by the id they have in the plan: those of an included action, and those of no action.

    `included`: ids of the actions that are part of the plan now.
    """
    named = {goal: action["id"] for action in context.actions.values() for goal in action.get("goalId", [])}
    wanted = {goal for name in included for goal in context.actions[name].get("goalId", [])}
    declared: Sequence[Resource] = context.plan.get("goal", [])
    found = {str(goal.get("id", number)): goal for number, goal in enumerate(declared, start=1)}
    return {id: _goal(context, id, goal) for id, goal in found.items() if id in wanted or id not in named}


def _goal(context: Context, id: str, goal: Resource) -> Resource:
    care_plan = context.situation.care_plan
    key = action_key(context.situation.key, "goal", id)
    resource = {
        "resourceType": "Goal",
        "id": id_of("Goal", key),
        "identifier": [key.identifier()],
        "lifecycleStatus": "proposed",
        "category": [goal["category"]] if "category" in goal else None,
        "priority": goal.get("priority"),
        "description": goal["description"],
        "subject": {"reference": reference_to(context.situation.subject)},
        "startCodeableConcept": goal.get("start"),
        "target": [_target(target) for target in goal.get("target", [])],
        "addresses": care_plan.get("addresses"),
    }
    return {name: value for name, value in resource.items() if value}


def _target(target: Resource) -> Resource:
    due = {"dueDuration": target["due"]} if "due" in target else {}
    return {**{name: target[name] for name in _TARGET if name in target}, **due}

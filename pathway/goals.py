"""The goals of a plan as the patient's Goals: PlanDefinition.goal, proposed for one patient.

A goal is proposed as soon as an action that serves it (`action.goalId`) is in the plan, so what belongs to an operation
with the decision for it, and not to pursue it: when that begins stands in Goal.start, as the plan says it. A goal that
no action names comes with the plan. Only a clinician makes it active, with the patient; until then it is cancelled
when nothing in the plan serves it any more, and its dates move with the operation: R4 counts PlanDefinition's
target.due from the start of the goal, for a goal of an operation its day, of several the latest one known. Once
accepted it is left alone, and so are dates that somebody else has changed. Goal.expressedBy stays empty: nobody has
expressed it yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from hashlib import sha256

from pathway import codes
from pathway.apply import Applied
from pathway.context import Context, Scope
from pathway.errors import InvalidDefinition
from pathway.keys import action_key, id_of
from pathway.ports import Key, Resource
from pathway.tags import tag_of, tagged
from pathway.tasks import is_movable, is_open, withdrawn
from pathway.timing import offset_days

# The action in the key of a Goal: an action of a plan is never called that.
GOAL = "goal"


def goals(context: Context, applied: Applied) -> Iterator[tuple[Resource, str]]:
    """Each Goal that has to be written, as it should be, and why."""
    wanted = {id: goal for id, goal in _declared(context).items() if _is_wanted(context, applied, id)}
    for id, goal in wanted.items():
        key = goal_key(context, id)
        day = _day(applied.served.get(id, ()))
        existing = context.situation.by_key.get(("Goal", key.value))
        if existing is None:
            yield _proposed(context, key, goal, day), "a goal of the plan, to be agreed with the patient"
        elif is_movable(existing) and (moved := _moved(existing, goal, day)) is not None:
            yield moved, "what its dates are counted from has changed"
    for id, existing in _existing(context):
        if id not in wanted and is_movable(existing) and not _is_undecided(context, applied, id):
            why = "nothing in the plan serves this goal any more"
            yield withdrawn(existing, at=context.now.instant, reason=why), why


def goal_key(context: Context, id: str) -> Key:
    """The key of a goal of the plan: CarePlan + goal + its id (+ `again-2` for one proposed once more)."""
    return context.unused("Goal", action_key(context.situation.key, GOAL, id))


def open_goals(context: Context) -> Mapping[str, Resource]:
    """The patient's Goals that are still to be reached, by the id of their goal, in the order of the plan."""
    found = {id: existing for id, existing in _existing(context) if is_open(existing)}
    return {id: found[id] for id in _declared(context) if id in found}


def pertaining(context: Context, action: Resource) -> list[Resource]:
    """The extensions that say which Goals a request of an action pertains to."""
    named = [id for id in action.get("goalId", []) if id in _declared(context)]
    keys = [goal_key(context, id) for id in named]
    return [
        {"url": codes.PERTAINS_TO_GOAL, "valueReference": {"reference": f"Goal/{id_of('Goal', key)}"}} for key in keys
    ]


def _declared(context: Context) -> Mapping[str, Resource]:
    """The plan's goals by their id, or their number where they have none."""
    listed: Sequence[Resource] = context.plan.get("goal", [])
    return {str(goal.get("id", number)): goal for number, goal in enumerate(listed, start=1)}


def _serving(context: Context, id: str) -> set[str]:
    """The actions that serve a goal."""
    return {action["id"] for action in context.actions.values() if id in action.get("goalId", [])}


def _is_wanted(context: Context, applied: Applied, id: str) -> bool:
    return id in applied.served or not _serving(context, id)


def _is_undecided(context: Context, applied: Applied, id: str) -> bool:
    """Whether something that could serve it cannot be worked out, or rests on answers that cannot be used."""
    return bool(context.unusable) or applied.undecided.concerns(_serving(context, id))


def _existing(context: Context) -> Iterator[tuple[str, Resource]]:
    """The Goals of the plan that there are, by the id of their goal."""
    prefix = action_key(context.situation.key, GOAL).value + ":"
    for (type, value), existing in context.situation.by_key.items():
        if type == "Goal" and value.startswith(prefix):
            yield value.removeprefix(prefix).partition(":")[0], existing


def _day(scopes: Sequence[Scope]) -> date | None:
    """The latest day of the operations that a goal belongs to; None while none is known."""
    moments = [scope.surgery.moment for scope in scopes if scope.surgery]
    return max((moment.end for moment in moments if moment), default=None)


def _proposed(context: Context, key: Key, goal: Resource, day: date | None) -> Resource:
    care_plan = context.situation.care_plan
    resource = {
        "resourceType": "Goal",
        "id": id_of("Goal", key),
        "identifier": [key.identifier()],
        "lifecycleStatus": "proposed",
        "category": [goal["category"]] if "category" in goal else None,
        "priority": goal.get("priority"),
        "description": goal["description"],
        "subject": care_plan["subject"],
        "startCodeableConcept": goal.get("start"),
        "target": _targets(goal, day),
        "statusDate": context.now.instant[:10],
        "addresses": care_plan.get("addresses"),
    }
    made = {name: value for name, value in resource.items() if value}
    return tagged(made, codes.PROPOSED_DATES, _digest(_targets(goal, day)))


def _moved(existing: Resource, goal: Resource, day: date | None) -> Resource | None:
    """The Goal with the dates as they are now; None when nothing changes, or somebody else has changed them."""
    there, targets = existing.get("target", []), _targets(goal, day)
    as_proposed = _digest(there) == tag_of(existing, codes.PROPOSED_DATES)
    if _digest(there) == _digest(targets) or not as_proposed or len(there) != len(targets):
        return None
    dated = [{**_undated(old), **_dates(new)} for old, new in zip(there, targets, strict=True)]
    return tagged({**existing, "target": dated}, codes.PROPOSED_DATES, _digest(targets))


def _targets(goal: Resource, day: date | None) -> list[Resource]:
    """Goal.target as the definition has it; with the day known, by which date."""
    targets: Sequence[Resource] = goal.get("target", [])
    return [
        {**{name: value for name, value in target.items() if name != "due"}, **_due(target, day)} for target in targets
    ]


def _due(target: Resource, day: date | None) -> Resource:
    """Months and the like stay a duration: how long they are is not for us to say."""
    if "due" not in target:
        return {}
    try:
        days = offset_days(target["due"])
    except InvalidDefinition:
        return {"dueDuration": target["due"]}
    return {"dueDate": (day + timedelta(days=days)).isoformat()} if day else {"dueDuration": target["due"]}


def _dates(target: Resource) -> Resource:
    return {name: value for name, value in target.items() if name in ("dueDate", "dueDuration")}


def _undated(target: Resource) -> Resource:
    return {name: value for name, value in target.items() if name not in ("dueDate", "dueDuration")}


def _digest(targets: Sequence[Resource]) -> str:
    """What the dates of some targets were, short enough for a tag."""
    durations = [target.get("dueDuration", {}) for target in targets]
    said = [f"{t.get('dueDate')} {d.get('value')} {d.get('code')}" for t, d in zip(targets, durations, strict=True)]
    return sha256("; ".join(said).encode()).hexdigest()[:16]

"""A plan applied, as RequestGroups: every element of an action that R4 has a place for, and the request it leads to.

R4 lets an action have a resource or actions, never both (rqg-1): an action with a request of its own and actions below
it becomes a group with the request as its first member. A plan inside the plan is a RequestGroup of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pathway import codes
from pathway.care_team import owner_of
from pathway.context import Context
from pathway.errors import PathwayError
from pathway.keys import action_key, id_of
from pathway.ports import Key, Resource
from pathway.references import reference_to
from pathway.site import coding_of
from pathway.steps import Step
from pathway.when import placed

_TEXTS = ("prefix", "title", "description", "textEquivalent")
_GROUP = ("groupingBehavior", "selectionBehavior", "requiredBehavior", "precheckBehavior", "cardinalityBehavior")
_MEMBER = ("priority", "code", "documentation", "type", "requiredBehavior", "precheckBehavior", "cardinalityBehavior")
_TIMING = ("timingDateTime", "timingAge", "timingPeriod", "timingDuration", "timingRange", "timingTiming")
_PARTICIPANTS = ("Practitioner/", "PractitionerRole/")

_Ids = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Grouping:
    """Makes the RequestGroups of one application into `made`. `base`: what each of them says, such as the subject."""

    context: Context
    key: Key
    base: Resource
    made: list[Resource] = field(default_factory=list)

    def group(self, steps: Sequence[Step], canonical: str, *parts: str, more: Sequence[Resource] = ()) -> str:
        """Make the RequestGroup of these steps, and those of the plans nested in them; returns its reference.

        `parts` tell it from others of the application; `more`: requests that no action of the plan asks for.
        """
        key = action_key(self.key, "request-group", *parts)
        group: Resource = {
            "resourceType": "RequestGroup",
            "id": id_of("RequestGroup", key),
            "identifier": [key.identifier()],
            "instantiatesCanonical": [canonical],
            "status": "draft",
            "intent": "proposal",
            **self.base,
        }
        self.made.append(group)
        ids = dict(_ids(steps))
        actions = [action for step in steps for action in self._actions(step, ids)]
        group |= _some("action", [*actions, *map(_alone, more)])
        return reference_to(group)

    def _actions(self, step: Step, ids: _Ids) -> list[Resource]:
        member = [self._member(step, ids)] if step.request else []
        if not step.below:
            return member
        if step.nests:
            nested = {"resource": {"reference": self.group(step.below, step.nests, *step.named)}}
            return [*member, {**self._group(step, ids, "plan"), **nested}]
        below = [action for child in step.below for action in self._actions(child, ids)]
        return [{**self._group(step, ids, "group"), "action": [*member, *below]}]

    def _member(self, step: Step, ids: _Ids) -> Resource:
        return {
            "id": ids[step.named],
            **_carried(step.action, (*_TEXTS, *_MEMBER)),
            **_some("condition", step.action.get("condition")),
            **self._when(step, ids),
            **_some("participant", list(self._participants(step.action))),
            "resource": {"reference": step.request},
        }

    def _group(self, step: Step, ids: _Ids, suffix: str) -> Resource:
        """A group; what is said of the request itself stands with the request, if there is one."""
        said = {**_carried(step.action, (*_TEXTS, *_GROUP)), **_some("condition", step.action.get("condition"))}
        if step.request:
            return {"id": f"{ids[step.named]}.{suffix}", **said}
        return {
            "id": ids[step.named],
            **_carried(step.action, _MEMBER),
            **said,
            **self._when(step, ids),
            **_some("participant", list(self._participants(step.action))),
        }

    def _when(self, step: Step, ids: _Ids) -> Resource:
        """Relations to actions of the same RequestGroup, and the days that the plan's offsets come to."""
        related = []
        for relation in step.action.get("relatedAction", []):
            name = relation["actionId"]
            target = ids.get((name, step.scope.occurrence)) or ids.get((name, ""))
            related += [{**relation, "actionId": target}] if target else []
        said = _carried(step.action, _TIMING)
        return {**_some("relatedAction", related), **(said or self._days(step))}

    def _days(self, step: Step) -> Resource:
        try:
            days = placed(self.context, step.action, step.scope).window
        except PathwayError:
            # Said as an issue when it was applied.
            return {}
        return {"timingPeriod": days.period()} if days else {}

    def _participants(self, action: Resource) -> Iterator[Resource]:
        """References to who does it. R4 has no organization here: that one, or a role that nobody has, is a name."""
        for participant in action.get("participant", []):
            role = coding_of(participant.get("role"), codes.ROLE) or str(participant.get("type", ""))
            owner = owner_of(self.context.situation, role, self.context.today, in_person=True)
            if role == "patient":
                yield {"reference": reference_to(self.context.situation.subject)}
            elif owner and owner.reference.startswith(_PARTICIPANTS):
                yield {"reference": owner.reference, **_some("display", owner.display)}
            elif role:
                yield {"display": (owner.display if owner else "") or role}


def _alone(request: Resource) -> Resource:
    title = request.get("description") or request.get("code", {}).get("text")
    return {"id": request["id"], **_some("title", title), "resource": {"reference": reference_to(request)}}


def _ids(steps: Sequence[Step]) -> Iterator[tuple[tuple[str, str], str]]:
    """An id for each step of one RequestGroup: that of the action; from its second occurrence on with a number."""
    seen: dict[str, int] = {}
    for step in _together(steps):
        name = step.action["id"]
        seen[name] = seen.get(name, 0) + 1
        yield step.named, name if seen[name] == 1 else f"{name}.{seen[name]}"


def _together(steps: Sequence[Step]) -> Iterator[Step]:
    """The steps that one RequestGroup holds."""
    for step in steps:
        yield step
        if not step.nests:
            yield from _together(step.below)


def _carried(action: Resource, names: Collection[str]) -> Resource:
    return {name: action[name] for name in names if name in action}


def _some(name: str, value: Any) -> Resource:
    return {name: value} if value else {}

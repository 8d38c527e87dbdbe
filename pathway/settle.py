"""A plan applied until it asks for nothing more: what one pass creates, the next one sees. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pathway.context import Context
from pathway.errors import PathwayError
from pathway.ports import Create, Resource, Update
from pathway.progress import Changes, replan
from pathway.references import reference_to
from pathway.situation import Situation
from pathway.visits import VisitChooser

_PASSES = 6


@dataclass(frozen=True)
class Settled:
    """The situation once everything is as the plan asks, and all changes on the way there as one difference."""

    situation: Situation
    changes: Changes


def settle(context: Context, choose_visit: VisitChooser) -> Settled:
    """Raises PathwayError for actions that change each other for ever."""
    situation, total = context.situation, Changes()
    for _ in range(_PASSES):
        changes = replan(replace(context, situation=situation), choose_visit)
        total = then(total, changes)
        if not changes.resources:
            return Settled(situation, total)
        situation = _taken_up(situation, changes.resources)
    raise PathwayError(f"{reference_to(situation.care_plan)} does not settle: its actions change each other for ever")


def then(before: Changes, after: Changes) -> Changes:
    """Two differences as one: lists of what happens go on, what describes the plan is the later one's."""
    return replace(
        after,
        resources=_merged([*before.resources, *after.resources]),
        release=list(dict.fromkeys([*before.release, *after.release])),
        alerts=[*before.alerts, *after.alerts],
        reasons=[*before.reasons, *after.reasons],
    )


def _merged(changes: Sequence[Create | Update]) -> list[Create | Update]:
    """One change per resource: the newest content, created if it was new, based on the version first read."""
    found: dict[str, Create | Update] = {}
    for change in changes:
        first = found.get(reference_to(change.resource))
        found[reference_to(change.resource)] = replace(first, resource=change.resource) if first else change
    return list(found.values())


def _taken_up(situation: Situation, changes: Sequence[Create | Update]) -> Situation:
    newest = {reference_to(c.resource): c.resource for c in changes}
    known = {reference_to(resource) for resource in situation.data}
    care_plan = newest.pop(reference_to(situation.care_plan), situation.care_plan)
    data: list[Resource] = [newest.get(reference_to(resource), resource) for resource in situation.data]
    data += [resource for reference, resource in newest.items() if reference not in known]
    return replace(situation, care_plan=care_plan, data=data)

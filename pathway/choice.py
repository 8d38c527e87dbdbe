"""Group behaviours that decide: `selectionBehavior` of a group, enforced over the children that apply (R4).

The choice itself is a clinician's: where several apply of which one may, nothing is proposed or withdrawn until a
person has said which (https://hl7.org/fhir/R4/valueset-action-selection-behavior.html).
"""

from __future__ import annotations

from collections.abc import Sequence

from pathway.ports import Resource

_ONE = ("exactly-one", "at-most-one")


def clash(group: Resource, applying: Sequence[Resource]) -> str | None:
    """Why nothing of a group may be proposed now, given its children that apply and are not over; None when it may."""
    behaviour = group.get("selectionBehavior")
    children = group.get("action", [])
    chosen = {action["id"]: _title(action) for action in applying}
    if behaviour in _ONE and len(chosen) > 1:
        return f"only one may be chosen of {_title(group)}, but several apply: {', '.join(chosen.values())}"
    if behaviour == "all-or-none" and chosen and len(chosen) < len(children):
        absent = [_title(action) for action in children if action["id"] not in chosen]
        return f"all or none of {_title(group)}, and these do not apply: {', '.join(absent)}"
    return None


def lacking(group: Resource, applying: Sequence[Resource]) -> str | None:
    """What is still to be chosen in a group, in words."""
    if group.get("selectionBehavior") in ("exactly-one", "one-or-more") and not applying:
        return f"nothing is chosen yet of {', '.join(_title(action) for action in group.get('action', []))}"
    return None


def _title(action: Resource) -> str:
    return f"'{action.get('title', action.get('id', 'the plan'))}'"

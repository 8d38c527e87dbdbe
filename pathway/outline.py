"""What a plan says at a site, whoever the patient is: worked out once for a definition and a site's own values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from pathway.errors import InvalidDefinition, NotFound
from pathway.library import Library, pascal
from pathway.parameters import Value, effective, named_by, resolved
from pathway.ports import Resource
from pathway.requests import forms_of
from pathway.timing import offsets


@dataclass(frozen=True)
class Outline:
    """A plan with the site's own values in it, and its actions by their ids, parents before their children.

    `parameters`: the pathway's, as they count at the site; `named`: those that an action names. `kinds`: the resource
    type an action asks for; a group has none. `names`: the `%Name` of what it led to. `surgeries`: ServiceRequests
    that actions below them are timed from, the anchors of a pathway. `outside`: Questionnaires asked for outside of any
    operation. `days`: of each one asked for how many days after its anchor, None for before it. `lacking`: whether a
    definition that an action names is not there; it may have been a plan with actions of its own.
    """

    plan: Resource
    parameters: Mapping[str, Value]
    actions: Mapping[str, Resource]
    named: Mapping[str, Mapping[str, Value]]
    kinds: Mapping[str, str]
    names: Mapping[str, str]
    surgeries: frozenset[str]
    outside: frozenset[str]
    days: Mapping[str, int | None]
    lacking: bool


@lru_cache(maxsize=64)
def outline(library: Library, canonical: str, own: tuple[tuple[str, Value], ...]) -> Outline:
    """The outline of a plan; `own` are the values that a site has for the pathway's parameters.

    Raises NotFound for a plan that is not there, InvalidDefinition for a value that a parameter cannot have.
    """
    parameters = effective(library, dict(own))
    plan = resolved(library.plan(canonical), parameters)
    actions = {action["id"]: action for action in walk(plan.get("action", []))}
    asked = dict(_asked(library, actions))
    kinds = {id: str(definition["kind"]) for id, definition in asked.items()}
    orders = {id: a for id, a in actions.items() if kinds.get(id, "ServiceRequest") == "ServiceRequest"}
    surgeries = frozenset(id for id, a in orders.items() if "definitionCanonical" in a and _is_anchor(a))
    inside = {inner["id"] for id in surgeries for inner in walk(actions[id].get("action", []))}
    forms = {id: [form.split("|")[0] for form in forms_of(definition)] for id, definition in asked.items()}
    return Outline(
        plan=plan,
        parameters=parameters,
        actions=actions,
        named={id: _of(parameters, named_by(action) | named_by(asked.get(id, {}))) for id, action in actions.items()},
        kinds=kinds,
        names={id: pascal(id) for id in actions},
        surgeries=surgeries,
        outside=frozenset(form for id, named in forms.items() if id not in inside for form in named),
        days={form: _days_after(actions[id]) for id, named in forms.items() for form in named},
        lacking=any("definitionCanonical" in action for id, action in actions.items() if id not in asked),
    )


def walk(actions: Sequence[Resource]) -> Iterator[Resource]:
    """Every action, parents before their children."""
    for action in actions:
        yield action
        yield from walk(action.get("action", []))


def _asked(library: Library, actions: Mapping[str, Resource]) -> Iterator[tuple[str, Resource]]:
    """What each action asks for; a definition that is not there is said where the action is applied."""
    for id, action in actions.items():
        with suppress(NotFound):
            if "definitionCanonical" in action:
                yield id, library.activity(action["definitionCanonical"])


def _is_anchor(action: Resource) -> bool:
    below = walk(action.get("action", []))
    return any(related["actionId"] == action["id"] for inner in below for related in inner.get("relatedAction", []))


def _of(parameters: Mapping[str, Value], names: set[str]) -> Mapping[str, Value]:
    return {name: value for name, value in parameters.items() if name in names}


def _days_after(action: Resource) -> int | None:
    """How many days after its anchor an action begins; None for what comes before it."""
    with suppress(InvalidDefinition):  # said where the action is applied
        for related in action.get("relatedAction", []):
            if (days := offsets(related)) is not None:
                return None if related["relationship"].startswith("before") else days[0]
    return 1

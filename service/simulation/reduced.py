"""The plan without what its follow-up visit does not rest on, worked out from the definitions themselves.

Looking at a whole plan again costs many times what its follow-up costs, and a simulation looks thousands of times.
Kept are the surgery, the visit, its Task, what is timed from either or runs alongside, and in the visit's own group
what asks how they stand; and whatever these name. A changed rule of the content is therefore what is simulated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from pathway.elements import parts
from pathway.follow_up import tasks_of, visits_of
from pathway.library import Library
from pathway.nested import pinned
from pathway.outline import Outline, outline, walk
from pathway.ports import Resource
from pathway.requests import forms_of

_NAMED = re.compile(r"%(\w+)")


def reduced(library: Library, plan: str) -> Library:
    """The library with `plan` (url) cut down to its surgeries and their follow-up visits. Raises NotFound."""
    whole, written = outline(library, plan, ()), library.plan(plan)
    kept = _kept(library, whole)
    small = {name: value for name, value in written.items() if name not in ("goal", "action")}
    small["action"] = list(_pruned(written["action"], kept))
    asked, unasked = _definitions_of(small), _definitions_of(written) - _definitions_of(small)
    activities = [d for d in library.resources() if d["resourceType"] == "ActivityDefinition"]
    activities = [d for d in activities if not unasked & {d["url"], pinned(d)}]
    said = " ".join([*_said([small, *activities]), *asked])
    forms = [form for form in library.questionnaires() if form["url"] in said or f"%{form['name']}" in said]
    lists = [d for d in library.resources() if d["resourceType"] == "CodeSystem"]
    return Library([small, *activities, *forms, *lists])


def _definitions_of(plan: Resource) -> set[str]:
    return {action["definitionCanonical"] for action in walk(plan["action"]) if "definitionCanonical" in action}


def _kept(library: Library, whole: Outline) -> set[str]:
    """The ids of the actions that stay; the groups around them stay with them."""
    surgeries = [whole.actions[id] for id in whole.surgeries]
    visits = [visit for surgery in surgeries for visit in visits_of(whole, surgery)]
    tasks = [task for surgery in surgeries for task in tasks_of(whole, surgery, visits)]
    kept = {action["id"] for action in (*visits, *tasks)}
    beside = {inner["id"] for surgery in surgeries for inner in _beside(surgery, {visit["id"] for visit in visits})}
    below = {inner["id"] for surgery in surgeries for inner in walk(surgery.get("action", []))}
    timed = {id: {r["actionId"] for r in action.get("relatedAction", [])} for id, action in whole.actions.items()}
    named = _named(library, whole)
    while True:
        more = {id for id in below if timed[id] & kept} | {id for id in beside if named[id] & kept}
        around = {a["id"] for a in whole.actions.values() if any(inner["id"] in kept | more for inner in walk([a]))}
        more |= {one for id in kept | more for one in timed[id]} | {
            one for id in kept | more | around for one in named[id]
        }
        if more <= kept | whole.surgeries:
            return kept | whole.surgeries
        kept |= more - whole.surgeries


def _beside(group: Resource, visits: set[str]) -> Iterator[Resource]:
    """Everything in the groups that hold a visit directly."""
    inner = group.get("action", [])
    if any(action["id"] in visits for action in inner):
        yield from walk(inner)
    for action in inner:
        yield from _beside(action, visits)


def _named(library: Library, whole: Outline) -> Mapping[str, set[str]]:
    """By action the actions whose requests it names, and those that ask for the forms it names: which operation an
    answer belongs to depends on where it is asked for."""
    names = {name: {id} for id, name in whole.names.items()}
    for id, action in whole.actions.items():
        for form in forms_of(library.activity(action["definitionCanonical"])) if id in whole.kinds else ():
            names.setdefault(library.questionnaire(form)["name"], set()).add(id)
    return {id: _found(library, action, names) for id, action in whole.actions.items()}


def _found(library: Library, action: Resource, names: Mapping[str, set[str]]) -> set[str]:
    own: list[Resource] = [{name: value for name, value in action.items() if name != "action"}]
    if "definitionCanonical" in action:
        own.append(library.activity(action["definitionCanonical"]))
    return {id for text in _said(own) for name in _NAMED.findall(text) for id in names.get(name, ())}


def _said(definitions: Sequence[Resource]) -> Iterator[str]:
    """The expressions and canonicals in definitions."""
    for definition in definitions:
        for _, part in parts(definition, ""):
            for element in ("expression", "valueCanonical"):
                if isinstance(part.get(element), str):
                    yield part[element]


def _pruned(actions: Sequence[Resource], kept: set[str]) -> Iterator[Resource]:
    for action in actions:
        inner = list(_pruned(action.get("action", []), kept))
        if action["id"] in kept or inner:
            own = {name: value for name, value in action.items() if name not in ("action", "goalId")}
            yield {**own, "action": inner} if inner else own

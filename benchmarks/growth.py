"""What a patient costs as the pathway grows: the same plan once, 4 and 16 times over; and explaining it or not."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from copy import deepcopy
from functools import partial

from benchmarks.apply_plan import decided
from benchmarks.clinic import new_clinic
from benchmarks.measure import Comparison, interleaved, run_of, timed
from fhir_adapters.store.content import encode
from pathway.codes import PLAN
from pathway.context import Context
from pathway.explain import explained
from pathway.library import Library
from pathway.ports import Resource
from pathway.settle import settle
from pathway.situation import Now, Situation
from pathway.visits import VisitChooser

FACTORS = (1, 4, 16)


def compare(rounds: int, seconds: float) -> Iterator[Comparison]:
    """Everything that the decision for surgery leads to, settled in memory; nothing is read or written."""
    library = Library.load()
    with new_clinic(library) as clinic:
        situation, now, choose = decided(clinic), clinic.now(), clinic.choosing(clinic.store.repository(clinic.name))
    yield from _grown(library, situation, now, choose, rounds, seconds)
    yield _explained(Context.of(library, situation, now), choose, rounds, seconds)


def _grown(
    library: Library, situation: Situation, now: Now, choose: VisitChooser, rounds: int, seconds: float
) -> Iterator[Comparison]:
    contexts = [Context.of(grown(library, factor), situation, now) for factor in FACTORS]

    def actions(context: Context, times: int) -> int:
        for _ in range(times):
            settle(context, choose)
        return times * len(context.actions)

    runs = []
    for context in contexts:
        actions(context, 1)
        times = max(1, round(timed(partial(actions, context, 2)).rate / len(context.actions) * seconds))
        runs.append(run_of(partial(actions, context, times)))
    once, *more = interleaved(rounds, *runs)
    for factor, context, samples in zip(FACTORS[1:], contexts[1:], more, strict=True):
        what = f"One action of the plan {factor} times over, settled"
        note = f"{len(contexts[0].actions)} actions against {len(context.actions)}; 1 is linear"
        yield Comparison(what, "the plan as it is", samples, once, note)


def _explained(context: Context, choose: VisitChooser, rounds: int, seconds: float) -> Comparison:
    def without(times: int) -> int:
        for _ in range(times):
            settle(context, choose)
        return times

    def with_explanation(times: int) -> int:
        for _ in range(times):
            changes = settle(context, choose).changes
            body = explained(context.situation.care_plan, changes.explanations, context.actions, changes.issues)
            zlib.compress(encode(body).encode())
        return times

    without(1)
    times = max(1, round(timed(partial(without, 3)).rate * seconds))
    ours, other = interleaved(rounds, run_of(partial(with_explanation, times)), run_of(partial(without, times)))
    return Comparison("A patient settled and explained, ready to be stored", "not explained", ours, other)


def grown(library: Library, factor: int) -> Library:
    """The library with every action of the plan `factor` times, each time under ids of its own."""
    plan = deepcopy(library.plan_as_written(PLAN))
    plan["action"] = [action for number in range(factor) for action in _renamed(plan["action"], number)]
    return Library([*(d for d in library.resources() if d.get("url") != PLAN), plan])


def _renamed(actions: Sequence[Resource], number: int) -> list[Resource]:
    """Copies with other ids; what is timed from another action is timed from its copy."""
    if number == 0:
        return list(actions)
    return [
        {
            **action,
            "id": f"{action['id']}-x{number}",
            "relatedAction": [
                {**related, "actionId": f"{related['actionId']}-x{number}"}
                for related in action.get("relatedAction", [])
            ],
            "action": _renamed(action.get("action", []), number),
        }
        for action in actions
    ]

"""The included actions of an application as a tree, each with the request it has led to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pathway.apply import Applied
from pathway.context import Context, Scope
from pathway.errors import PathwayError
from pathway.nested import nested_plan_of
from pathway.occurrences import scopes_of
from pathway.ports import Resource
from pathway.references import reference_to
from pathway.tasks import is_open


@dataclass(frozen=True)
class Step:
    """An included action in one scope: a reference to the `request` or goal it leads to, and what is `below` it."""

    action: Resource
    scope: Scope
    request: str | None
    below: tuple[Step, ...] = ()

    @property
    def named(self) -> tuple[str, str]:
        """Action and occurrence."""
        return self.action["id"], self.scope.occurrence

    @property
    def nests(self) -> str | None:
        """The url|version of the plan whose actions are below it; None for actions of the same plan."""
        return nested_plan_of(self.action)


@dataclass(frozen=True)
class Tree:
    """`context` is settled: what the plan asks for exists in it. `goals`: the proposed ones by their id in the plan."""

    context: Context
    applied: Applied
    goals: Mapping[str, Resource]

    def steps(self) -> tuple[Step, ...]:
        """What is over is history and left out, unless it is what open actions below it are timed from."""
        requests = {
            (p.action, p.scope.occurrence): found
            for p in self.applied.proposals
            if (found := self.context.situation.by_key.get((p.resource["resourceType"], p.key.value))) is not None
        }
        return tuple(self._below(self.context.plan, Scope(), requests))

    def _below(self, group: Resource, outer: Scope, requests: Mapping[tuple[str, str], Resource]) -> Iterator[Step]:
        for action in group.get("action", []):
            for scope in self._scopes(action, outer):
                below = tuple(self._below(action, scope, requests))
                request = requests.get((action["id"], scope.occurrence))
                if request is None:
                    leads_to = self._milestone(action, scope)
                else:
                    leads_to = reference_to(request) if is_open(request) or below else None
                if leads_to or below:
                    yield Step(action, scope, leads_to, below)

    def _scopes(self, action: Resource, outer: Scope) -> Sequence[Scope]:
        try:
            return scopes_of(self.context, action, outer)
        except PathwayError:
            # Said as an issue when it was applied.
            return ()

    def _milestone(self, action: Resource, scope: Scope) -> str | None:
        """An action without a definition and without actions below stands for the goal that it is about."""
        if "definitionCanonical" in action or "action" in action:
            return None
        included = any(
            (e.action, e.occurrence, e.included) == (action["id"], scope.occurrence, True)
            for e in self.applied.explanations
        )
        wanted = [reference_to(self.goals[id]) for id in action.get("goalId", []) if id in self.goals]
        return wanted[0] if included and wanted else None


def walk_steps(steps: Sequence[Step]) -> Iterator[Step]:
    """Every step, outer before inner."""
    for step in steps:
        yield step
        yield from walk_steps(step.below)

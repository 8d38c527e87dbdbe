"""The actions of a plan where they stand: what is above each, what it leads to, and how often it comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pathway.nested import Definitions
from pathway.ports import Resource


@dataclass(frozen=True)
class Place:
    """An action with its FHIRPath, the actions above it (outermost first), and the type of request it leads to.

    `kind` is None for a group, which leads to no request itself.
    """

    path: str
    action: Resource
    above: tuple[Place, ...]
    kind: str | None

    @property
    def id(self) -> str:
        return str(self.action.get("id"))

    @property
    def repeats(self) -> bool:
        """Whether it comes once per resource that fits its trigger."""
        return self.action.get("cardinalityBehavior") == "multiple" and bool(self.action.get("trigger"))

    @property
    def occurrence(self) -> Place | None:
        """The repeated action that this one belongs to, itself included."""
        return next((place for place in reversed((*self.above, self)) if place.repeats), None)

    def conditions(self, kind: str) -> list[str]:
        """The FHIRPath of each condition of a kind."""
        found = enumerate(self.action.get("condition", []))
        return [f"{self.path}.condition[{number}]" for number, condition in found if condition["kind"] == kind]


def places(plan: Resource, definitions: Definitions) -> list[Place]:
    """Every action of a plan, outer before inner."""

    def walk(actions: Sequence[Resource], path: str, above: tuple[Place, ...]) -> Iterator[Place]:
        for number, action in enumerate(actions):
            place = Place(f"{path}.action[{number}]", action, above, _kind(action, definitions))
            yield place
            yield from walk(action.get("action", []), place.path, (*above, place))

    return list(walk(plan.get("action", []), "PlanDefinition", ()))


def _kind(action: Resource, definitions: Definitions) -> str | None:
    found = definitions.find(action.get("definitionCanonical", ""), "ActivityDefinition", "Questionnaire")
    if found is None:
        return None
    return "Task" if found["resourceType"] == "Questionnaire" else str(found.get("kind"))

"""Where a plan cannot be worked out now: what exists of it is neither moved nor withdrawn."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from pathway.outline import walk
from pathway.ports import Resource


@dataclass
class Undecided:
    """Actions in occurrences.

    `places`: (action, occurrence); no occurrence stands for each of them, no action for all of an occurrence. `known`:
    the ids of the plan's actions when a definition is not there that may have brought more of them: nothing is known of
    what belongs to any other action.
    """

    places: set[tuple[str, str]] = field(default_factory=set)
    known: frozenset[str] | None = None

    def add(self, action: str, occurrence: str = "") -> None:
        self.places.add((action, occurrence))

    def add_all(self, action: Resource, occurrence: str = "") -> None:
        """An action and what is below it."""
        for inner in walk([action]):
            self.add(inner["id"], occurrence)

    def __contains__(self, place: tuple[str, str]) -> bool:
        action, occurrence = place
        unknown = self.known is not None and action not in self.known
        return unknown or not self.places.isdisjoint({place, (action, ""), ("", occurrence)})

    def concerns(self, actions: Collection[str]) -> bool:
        """Whether one of these actions cannot be worked out, in whichever occurrence."""
        return any(action in actions or not action for action, _ in self.places)

"""How due work gets done: claimed and done in this process, or handed over to an engine for any process.

One interface, so that nothing else knows which. The due table is the truth with either: an engine that loses or
doubles what it was handed does no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pathway.due_work import Claim
from pathway.intake import Pathway
from pathway.ports import Store
from pathway.situation import Now
from schedules.duties import release
from schedules.timetable import Duty


class Dispatcher(Protocol):
    """Brings what is due to be done, hospital by hospital."""

    def dispatch(self, hospital: str) -> int:
        """Take what is due at a hospital; how many pieces were done, or handed over."""

    def start(self) -> None:
        """Begin to work off what is handed over, in a thread of its own."""

    def stop(self) -> None:
        """Stop working, after the piece that is at work."""

    def duties(self) -> Sequence[Duty]:
        """What the engine itself needs to have done from time to time."""

    def lacking(self) -> Sequence[str]:
        """What keeps work that is handed over from being done in any process, a sentence each."""


@dataclass(frozen=True)
class Releasing:
    """Does claimed work at any hospital; `pathway` and `now` are asked for by the hospital's name."""

    store: Store
    pathway: Callable[[str], Pathway]
    now: Callable[[str], Now]
    _known: set[str] = field(default_factory=set)

    def release(self, claim: Claim) -> bool:
        """Do one piece; whether it was done here."""
        return release.release(self.store, self.pathway(claim.hospital), claim, self.now(claim.hospital))

    def take_up(self, hospital: str) -> None:
        """At the start of this process: what an older or newer version had left and this one knows."""
        if hospital not in self._known:
            release.take_up(self.store, hospital)
            self._known.add(hospital)


@dataclass(frozen=True)
class InProcess:
    """Claims and does it at once."""

    releasing: Releasing

    def dispatch(self, hospital: str) -> int:
        its = self.releasing
        its.take_up(hospital)
        return release.run(its.store, its.pathway(hospital), lambda: its.now(hospital))

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def duties(self) -> Sequence[Duty]:
        return []

    def lacking(self) -> Sequence[str]:
        return []

"""The form of a patient: a sentence, what the hospital sends in its order, and everything that is expected of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pathway.parameters import Value
from pathway.site import Closure
from tests.pathway.conftest import Clinic

Step = tuple[str, Callable[[Clinic], None]]
"""A wall time at the clinic (`2026-03-16`, which is 10:00, or `2026-03-16 18:00`) and what the hospital sends then."""


@dataclass(frozen=True)
class Patient:
    """A patient and what is expected once her last step is taken.

    `asked`: for each action what its request says, as parts with commas between: its status, priority (unless it is
    routine), owner, days (`by 2026-03-09`, `2026-03-23 to 2026-03-30`, `on 2026-03-26`), `provisional`; those named
    must be there. A tuple has one entry for each of several requests, in the order of their keys. Actions outside
    `course.USUAL` that are asked for without being named here are an error.
    `not_asked`: actions without any request, and how their explanation begins.
    `row`: the row of the decision table that proposes. `flags`, `alerts`, `reviews`: all there are; a review is a
    reason and how its sentence begins. `weighs_more`: all risks that are emphasised; None: not looked at.
    `shows`, `spared`: rules of the content that apply to her, or that were looked at and do not.
    `site`: what her clinic has decided. `closed`: when it is. `late`: how many of her visits are asked for after their
    window.
    """

    name: str
    who: str
    steps: Sequence[Step]
    asked: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    not_asked: Mapping[str, str] = field(default_factory=dict)
    row: int | None = None
    flags: Sequence[str] = ()
    alerts: Sequence[str] = ()
    reviews: Mapping[str, str] = field(default_factory=dict)
    weighs_more: Sequence[str] | None = None
    shows: Sequence[str] = ()
    spared: Sequence[str] = ()
    site: Mapping[str, Value] = field(default_factory=dict)
    closed: Closure | None = None
    late: int = 0

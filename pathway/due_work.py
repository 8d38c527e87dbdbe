"""Work that will fall due: its rows, who holds them, and what a due table has to do.

Rows live in the store and are never deleted; when they fall due, the plan they belong to is looked at again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

DueState = Literal["scheduled", "claimed", "done", "cancelled", "expired", "quarantined"]
OPEN: tuple[DueState, ...] = ("scheduled", "claimed")


@dataclass(frozen=True)
class DueWork:
    """One thing that will have to be looked at. `key` names it for ever; a re-plan raises `generation`.

    `wall_time` (ISO local time) and `zone` (IANA) are what was meant; `due_at` (UTC) is what they resolve to.
    `released_at` (clinical) is when it came to an end by being looked at.
    """

    key: str
    kind: str
    due_at: datetime
    wall_time: str
    zone: str
    care_plan: str
    action: str
    why: str
    window_low: str | None = None
    window_high: str | None = None
    expires_at: datetime | None = None
    generation: int = 1
    state: DueState = "scheduled"
    attempt: int = 0
    last_error: str | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    released_at: datetime | None = None


LONGEST_LEASE = timedelta(hours=1)  # one that ends later is of a clock that has gone back since: it counts as over


@dataclass(frozen=True)
class Claim:
    """Due work held by one worker until `lease_until`; only the holder of `token` may finish it.

    What was claimed at once has one token: it names the batch.
    """

    hospital: str
    work: DueWork
    token: str
    lease_until: datetime


class DueStore(Protocol):
    """The due table of one hospital, inside one transaction."""

    def of_plan(self, care_plan: str) -> Sequence[DueWork]:
        """All rows of a CarePlan, in any state."""

    def fell_due(self, since: datetime, until: datetime) -> Sequence[DueWork]:
        """What was due from `since` to before `until` (clinical), of every plan, oldest first."""

    def plan(self, work: DueWork) -> None:
        """Insert the row, or replace an open one with generation + 1 when its time changed."""

    def cancel(self, key: str, why: str) -> None:
        """Close an open row; one that is done stays done."""

    def finish(self, claim: Claim, state: DueState, error: str | None = None, *, at: datetime | None = None) -> bool:
        """Close claimed work, `at` on the clinical clock. False when the claim was superseded: then nothing may be
        written."""

    def retry(self, claim: Claim, due_at: datetime, error: str) -> bool:
        """Give claimed work back, to be claimed again from `due_at` on."""

    def put_aside(self) -> Sequence[DueWork]:
        """All rows that are quarantined."""

    def reopen(self, key: str) -> bool:
        """Take up quarantined work again, as a new generation; whether there was any."""

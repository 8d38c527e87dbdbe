"""The due table in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

from fhir_adapters.store.memory_state import Held, State
from fhir_adapters.store.replan import replanned
from pathway.due_work import LONGEST_LEASE, OPEN, Claim, DueState, DueWork


class MemoryDueStore:
    """Implements `DueStore` on a state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def of_plan(self, care_plan: str) -> Sequence[DueWork]:
        found = [held.work for held in self._state.due.values() if held.work.care_plan == care_plan]
        return sorted(found, key=lambda work: (work.due_at, work.key))

    def plan(self, work: DueWork) -> None:
        held = self._state.due.get(work.key)
        new = replanned(held.work if held else None, work)
        if new is not None:
            self._state.due[new.key] = Held(new, new.due_at)

    def cancel(self, key: str, why: str) -> None:
        held = self._state.due.get(key)
        if held is not None and held.work.state in OPEN:
            self._state.due[key] = Held(replace(held.work, state="cancelled", last_error=why), held.next_at)

    def finish(self, claim: Claim, state: DueState, error: str | None = None, *, at: datetime | None = None) -> bool:
        return self._close(claim, state, error, None, at)

    def retry(self, claim: Claim, due_at: datetime, error: str) -> bool:
        return self._close(claim, "scheduled", error, due_at, None)

    def fell_due(self, since: datetime, until: datetime) -> Sequence[DueWork]:
        """What was due from `since` to before `until` (clinical), of every plan, oldest first."""
        found = [held.work for held in self._state.due.values() if since <= held.work.due_at < until]
        return sorted(found, key=lambda work: (work.due_at, work.key))

    def put_aside(self) -> Sequence[DueWork]:
        found = [held.work for held in self._state.due.values() if held.work.state == "quarantined"]
        return sorted(found, key=lambda work: (work.due_at, work.key))

    def reopen(self, key: str) -> bool:
        held = self._state.due.get(key)
        if held is None or held.work.state != "quarantined":
            return False
        again = replace(held.work, state="scheduled", generation=held.work.generation + 1, attempt=0)
        self._state.due[key] = Held(again, held.next_at)
        return True

    def claim(self, clinical_now: datetime, wire_now: datetime, limit: int, lease: timedelta) -> Sequence[Claim]:
        """Take open work due at `clinical_now` that nobody holds at `wire_now`, oldest first."""
        until, token = wire_now + lease, uuid4().hex
        free = [held for held in self._state.due.values() if held.next_at <= clinical_now and _free(held, wire_now)]
        claims = []
        for held in sorted(free, key=lambda held: (held.next_at, held.work.key))[:limit]:
            work = replace(held.work, state="claimed", attempt=held.work.attempt + 1)
            self._state.due[work.key] = Held(work, held.next_at, token, until)
            claims.append(Claim(self._state.record.name, work, token, until))
        return claims

    def claimed(self, token: str) -> Sequence[Claim]:
        """What is still held under a token, oldest first."""
        found = [held for held in self._state.due.values() if held.work.state == "claimed" and held.token == token]
        name = self._state.record.name
        return [
            Claim(name, held.work, token, held.lease_until)
            for held in sorted(found, key=lambda held: (held.next_at, held.work.key))
            if held.lease_until is not None
        ]

    def held(self, wire_now: datetime) -> int:
        claimed = [held for held in self._state.due.values() if held.work.state == "claimed"]
        return sum(not _free(held, wire_now) for held in claimed)

    def _close(
        self,
        claim: Claim,
        state: DueState,
        error: str | None,
        next_at: datetime | None,
        released: datetime | None,
    ) -> bool:
        held = self._state.due.get(claim.work.key)
        if held is None or held.token != claim.token or held.work.generation != claim.work.generation:
            return False
        self._state.due[claim.work.key] = Held(
            replace(held.work, state=state, last_error=error, released_at=released), next_at or held.next_at
        )
        return True


def _free(held: Held, wire_now: datetime) -> bool:
    if held.work.state == "claimed":
        return held.lease_until is not None and not wire_now <= held.lease_until <= wire_now + LONGEST_LEASE
    return held.work.state == "scheduled"

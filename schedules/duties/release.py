"""Due work whose time has come: the plan it belongs to is looked at again, fenced so that it happens once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from pathway.errors import UNFORESEEN, PathwayError
from pathway.intake import Pathway
from pathway.ports import Claim, Quarantined, Store
from pathway.situation import Now

BATCH = 100
LEASE = timedelta(seconds=20)
_ATTEMPTS = 5
_RETRY = timedelta(seconds=30)


def run(store: Store, pathway: Pathway, clocks: Callable[[], Now]) -> int:
    """Work through what is due at the pathway's hospital; how many pieces were finished."""
    hospital, finished = pathway.site.hospital, 0
    while claims := store.claim_due(hospital, clocks().clinical, BATCH, LEASE):
        finished += sum(_release(store, pathway, claim, clocks()) for claim in claims)
    return finished


def _release(store: Store, pathway: Pathway, claim: Claim, now: Now) -> bool:
    try:
        with store.transaction(claim.hospital) as tx:
            if claim.work.kind != "start":
                text = f"Due work of a kind that this version does not know: {claim.work.kind}"
                tx.quarantine(Quarantined("due-kind-unknown", text, claim.work.care_plan, claim.work.key))
                return tx.due.finish(claim, "quarantined", text)
            late = claim.work.expires_at is not None and now.clinical >= claim.work.expires_at
            if not tx.due.finish(claim, "expired" if late else "done", at=now.clinical):
                return False
            pathway.advance(tx, claim.work.care_plan, now, f"due: {claim.work.why}")
            return True
    except PathwayError as error:
        _failed(store, claim, now, str(error))
    except UNFORESEEN as error:
        _failed(store, claim, now, f"{type(error).__name__}: a record could not be understood")
    return False


def _failed(store: Store, claim: Claim, now: Now, error: str) -> None:
    """Poison never blocks: it is tried a few times, then put aside where people see it."""
    with store.transaction(claim.hospital) as tx:
        if claim.work.attempt < _ATTEMPTS:
            tx.due.retry(claim, now.clinical + _RETRY, error)
        elif tx.due.finish(claim, "quarantined", error):
            tx.quarantine(Quarantined("due-failed", error, claim.work.care_plan, claim.work.key))

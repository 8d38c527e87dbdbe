"""Due work whose time has come: the plan it belongs to is looked at again, fenced so that it happens once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from pathway.due_kinds import FAILED, LEFT, UNKNOWN, entry_of, unknown
from pathway.due_work import Claim
from pathway.errors import UNFORESEEN, PathwayError
from pathway.intake import Pathway
from pathway.ports import Store
from pathway.situation import Now

BATCH = 100
LEASE = timedelta(seconds=20)
_ATTEMPTS = 5
_RETRY = timedelta(seconds=30)


def run(store: Store, pathway: Pathway, clocks: Callable[[], Now]) -> int:
    """Work through what is due at the pathway's hospital; how many pieces were finished."""
    hospital, finished = pathway.site.hospital, 0
    while claims := store.claim_due(hospital, clocks().clinical, BATCH, LEASE):
        finished += sum(release(store, pathway, claim, clocks()) for claim in claims)
    return finished


def release(store: Store, pathway: Pathway, claim: Claim, now: Now) -> bool:
    """Do one piece; whether it was done here. A claim that was superseded writes nothing."""
    try:
        with store.transaction(claim.hospital) as tx:
            if why_not := unknown(claim.work):
                if tx.due.finish(claim, "quarantined", why_not):
                    pathway.set_aside(tx, claim.work, UNKNOWN, why_not, now)
                return False
            late = claim.work.expires_at is not None and now.clinical >= claim.work.expires_at
            if not tx.due.finish(claim, "expired" if late else "done", at=now.clinical):
                return False
            pathway.advance(tx, claim.work.care_plan, now, f"due: {claim.work.why}")
            return True
    except PathwayError as error:
        _failed(store, pathway, claim, now, str(error))
    except UNFORESEEN as error:
        _failed(store, pathway, claim, now, f"{type(error).__name__}: a record could not be understood")
    return False


def take_up(store: Store, hospital: str) -> int:
    """What another version had left and this one knows is due again; how many pieces.

    For the start of a process: which kinds it knows does not change while it runs.
    """
    with store.transaction(hospital) as tx:
        left = [w for w in tx.due.put_aside() if (w.last_error or "").startswith(LEFT) and unknown(w) is None]
        for work in left:
            tx.due.reopen(work.key)
            tx.settle(work.care_plan, entry_of(work))
        return len(left)


def _failed(store: Store, pathway: Pathway, claim: Claim, now: Now, error: str) -> None:
    """Poison never blocks: it is tried a few times, then put aside where people see it."""
    with store.transaction(claim.hospital) as tx:
        if claim.work.attempt < _ATTEMPTS:
            tx.due.retry(claim, now.clinical + _RETRY, error)
        elif tx.due.finish(claim, "quarantined", error):
            pathway.set_aside(tx, claim.work, FAILED, error, now)

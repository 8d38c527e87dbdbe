"""The sweep: whether every surgery we can see has its follow-up, and what was missing."""

from __future__ import annotations

from fastapi import APIRouter

from pathway.errors import Conflict, NotFound, Refused
from schedules.duties.sweep import Report
from service.admin.access import ACTOR, Registered, TheServices
from service.admin.problems import documented
from service.admin.strict import StrictRoute

router = APIRouter(prefix="/hospitals/{name}/sweep", tags=["sweep"], route_class=StrictRoute)


@router.get("", responses=documented(NotFound), summary="What the last sweep of the hospital found")
def last_sweep(name: Registered, services: TheServices) -> Report:
    """Of the last round that ended, in whichever process; not found before the first."""
    report = services.sweeps.last(name)
    if report is None:
        raise NotFound(f"No sweep of {name} has ended yet")
    return report


@router.post("", responses=documented(NotFound, Refused, Conflict), summary="Sweep the hospital now")
def sweep_now(name: Registered, services: TheServices) -> Report:
    """Looks at every running plan once, writes what is missing, and answers with what it found."""
    report = services.sweep_now(name)
    with services.store.transaction(name, actor=ACTOR) as tx:
        tx.audit(ACTOR, "sweep", f"hospital/{name}")
    return report

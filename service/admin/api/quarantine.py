"""Quarantine: what nobody could act on, until a person tries it again or settles it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field, StringConstraints

from pathway.errors import Conflict, NotFound, Refused
from service.admin import models
from service.admin.access import ACTOR, Id, Registered, TheServices
from service.admin.problems import Malformed, TooLarge, documented
from service.admin.retrying import retry_entry
from service.admin.strict import Asked, StrictRoute

router = APIRouter(prefix="/hospitals/{name}/quarantine", tags=["quarantine"], route_class=StrictRoute)


class QuarantineAsked(Asked):
    open: Annotated[bool, Field(description="leave out what is resolved")] = True


class Resolution(Asked):
    """Who settled it, and how; no patient data: the note goes into the audit."""

    by: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    note: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


@router.get("", responses=documented(NotFound), summary="What was put aside, oldest first")
def quarantine(
    name: Registered, services: TheServices, asked: Annotated[QuarantineAsked, Query()]
) -> models.Quarantine:
    entries = services.store.quarantine_entries(name, open_only=asked.open)
    return models.Quarantine(quarantine=[models.Quarantined.model_validate(entry) for entry in entries])


@router.post("/{id}/retry", responses=documented(NotFound, Conflict, Refused), summary="Try it again")
def retry(id: Id, name: Registered, services: TheServices) -> models.Retried:
    """A resource is reacted to once more, in its newest version; what the hospital did not take is queued again, due
    work that was put aside is due again."""
    return retry_entry(services, name, id)


@router.post(
    "/{id}/resolve", responses=documented(NotFound, Conflict, Malformed, TooLarge), summary="Settle it by hand"
)
def resolve(asked: Resolution, id: Id, name: Registered, services: TheServices) -> models.Quarantined:
    """Nothing else is done: whoever resolves it has seen to it."""
    with services.store.transaction(name, actor=ACTOR) as tx:
        if tx.quarantined.entry(id).state == "resolved":
            raise Conflict("It is resolved already")
        tx.quarantined.resolve(id)
        tx.audit(ACTOR, f"resolve for {asked.by}: {asked.note}", f"quarantine/{id}")
        return models.Quarantined.model_validate(tx.quarantined.entry(id))

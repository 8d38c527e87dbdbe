"""The outbox: what the hospital should have and does not have yet."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from fhir_adapters.store.outbox import OutboxState
from pathway.errors import Conflict, NotFound
from service.admin import models
from service.admin.access import ACTOR, Id, Registered, ResourceType, TheServices
from service.admin.problems import documented
from service.admin.strict import Asked, StrictRoute

router = APIRouter(prefix="/hospitals/{name}/outbox", tags=["outbox"], route_class=StrictRoute)


class OutboxAsked(Asked):
    state: OutboxState | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


@router.get("", responses=documented(NotFound), summary="The outbox, oldest first")
def outbox(name: Registered, services: TheServices, asked: Annotated[OutboxAsked, Query()]) -> models.Outbox:
    """`total` counts all of them, those beyond the limit too."""
    with services.store.transaction(name, read_only=True) as tx:
        entries = tx.outbox.entries(asked.state)
    shown = [models.OutboxItem.model_validate(entry) for entry in entries[: asked.limit]]
    return models.Outbox(outbox=shown, total=len(entries))


@router.post("/{type}/{id}/retry", responses=documented(NotFound, Conflict), summary="Send it again now")
def retry(type: ResourceType, id: Id, name: Registered, services: TheServices) -> models.OutboxItem:
    """With the next push. A conflict when it is at the hospital already, or on its way."""
    with services.store.transaction(name, actor=ACTOR) as tx:
        entry = tx.outbox.entry(type, id)
        if entry is None:
            raise NotFound(f"{type}/{id} is not in the outbox")
        if not tx.outbox.requeue(type, id):
            raise Conflict(f"{type}/{id} is {entry.state}: there is nothing to send again")
        tx.audit(ACTOR, "retry", f"outbox/{type}/{id}")
        return models.OutboxItem.model_validate(tx.outbox.entry(type, id))

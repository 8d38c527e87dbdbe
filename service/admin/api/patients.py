"""Who is on the pathway, and for each what happened, what lies ahead and why."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from pathway.codes import KEY_SYSTEM
from pathway.errors import InvalidResource, NotFound
from pathway.keys import key_of
from service.admin import models, reading, timeline
from service.admin.access import Id, Registered, TheServices
from service.admin.problems import documented
from service.admin.strict import Asked, StrictRoute

router = APIRouter(prefix="/hospitals/{name}/patients", tags=["patients"], route_class=StrictRoute)


class PageAsked(Asked):
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: Annotated[str | None, Field(max_length=400, description="`next` of the page before")] = None


@router.get("", responses=documented(NotFound, InvalidResource), summary="The CarePlans we authored, a page at a time")
def patients(name: Registered, services: TheServices, page: Annotated[PageAsked, Query()]) -> models.Patients:
    pathway, now = services.pathway(name), services.now(name)
    query = [("identifier", f"{KEY_SYSTEM}|"), ("_sort", "_id"), ("_count", str(page.limit))]
    with services.store.transaction(name, read_only=True) as tx:
        found = tx.search("CarePlan", query, page=page.cursor)
        read = [reading.read(tx, pathway, care_plan, now) for care_plan in found.resources]
    return models.Patients(patients=[timeline.patient(each) for each in read], next=found.next)


@router.get("/{care_plan_id}", responses=documented(NotFound), summary="The timeline of one CarePlan, with the reasons")
def patient(care_plan_id: Id, name: Registered, services: TheServices) -> models.Timeline:
    """Oldest first; due work lies on the clinical clock. `explanations`: what the pathway says of each action now."""
    pathway, now = services.pathway(name), services.now(name)
    with services.store.transaction(name, read_only=True) as tx:
        care_plan = tx.read("CarePlan", care_plan_id)
        if key_of(care_plan) is None:
            raise NotFound(f"CarePlan/{care_plan_id} is not one of ours")
        read = reading.read_fully(tx, pathway, care_plan, now)
    return timeline.timeline(read)

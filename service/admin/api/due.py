"""Due work: what will be looked at, when, and what became of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from pathway.codes import KEY_SYSTEM
from pathway.due_work import DueState
from pathway.errors import InvalidResource, NotFound
from pathway.references import reference_to
from service.admin import models
from service.admin.access import Registered, TheServices, plan_reference
from service.admin.problems import documented
from service.admin.strict import Asked, StrictRoute

router = APIRouter(prefix="/hospitals/{name}/due", tags=["due work"], route_class=StrictRoute)


class DueAsked(Asked):
    state: DueState | None = None
    care_plan: Annotated[str | None, Field(max_length=80, description="of one CarePlan only: its id or reference")] = (
        None
    )
    limit: Annotated[int, Field(ge=1, le=500, description="how many CarePlans a page goes through")] = 200
    cursor: Annotated[str | None, Field(max_length=400, description="`next` of the page before")] = None


@router.get("", responses=documented(NotFound, InvalidResource), summary="Due work, of some CarePlans a page")
def due_work(name: Registered, services: TheServices, asked: Annotated[DueAsked, Query()]) -> models.DueWorkPage:
    with services.store.transaction(name, read_only=True) as tx:
        if asked.care_plan is not None:
            plans, following = [plan_reference(asked.care_plan)], None
        else:
            query = [("identifier", f"{KEY_SYSTEM}|"), ("_sort", "_id"), ("_count", str(asked.limit))]
            page = tx.search("CarePlan", query, page=asked.cursor)
            plans, following = [reference_to(plan) for plan in page.resources], page.next
        found = [work for plan in plans for work in tx.due.of_plan(plan) if asked.state in (None, work.state)]
    found.sort(key=lambda work: (work.due_at, work.key))
    return models.DueWorkPage(due=[models.Due.model_validate(work) for work in found], next=following)

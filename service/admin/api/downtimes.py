"""Downtimes: when the service stood still for a hospital, what was done late or not at all, and whom to call."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from pathway.errors import NotFound
from service.admin.access import Registered, TheServices
from service.admin.planning_models import Downtime, Downtimes
from service.admin.problems import documented
from service.admin.strict import StrictRoute
from service.downtimes import as_json, reports

router = APIRouter(prefix="/hospitals/{name}/downtimes", tags=["downtimes"], route_class=StrictRoute)

Since = Annotated[AwareDatetime | None, Query(description="only those that ended then or later")]


@router.get("", responses=documented(NotFound), summary="The hospital's downtimes and what they did, newest first")
def downtimes(name: Registered, services: TheServices, since: Since = None) -> Downtimes:
    """A time without a sign of life of the duties that plan follow-ups, also while the hospital was paused."""
    link = services.timelines(name)
    return Downtimes(downtimes=[Downtime.model_validate(as_json(one, link)) for one in reports(services, name, since)])

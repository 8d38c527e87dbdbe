"""The forecast: how full the coming clinic days will be, and which windows will have no place."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from pathway.errors import NotFound
from schedules.forecast import Forecast
from service.admin.access import Registered, TheServices
from service.admin.planning_models import Svg
from service.admin.problems import documented
from service.admin.strict import StrictRoute
from service.forecasts import WEEKS, drawn, forecast_of

router = APIRouter(prefix="/hospitals/{name}/forecast", tags=["forecast"], route_class=StrictRoute)

Weeks = Annotated[int, Query(ge=1, le=26)]


@router.get("", responses=documented(NotFound), summary="Visits, places and pressure of the coming weeks")
def forecast(name: Registered, services: TheServices, weeks: Weeks = WEEKS) -> Forecast:
    """From what is in the store now; counts only."""
    return forecast_of(services, name, weeks)


@router.get("/picture", response_class=Svg, responses=documented(NotFound), summary="The forecast as a picture")
def picture(name: Registered, services: TheServices, weeks: Weeks = WEEKS) -> Svg:
    return Svg(drawn(forecast_of(services, name, weeks), name).svg())

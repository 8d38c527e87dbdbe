"""Alert routes: the addresses that are called, tested and confirmed by the people behind them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import StringConstraints

from pathway.errors import HospitalError, NotFound, Refused
from service.admin import alert_models as models
from service.admin.access import ACTOR, Id, Registered, TheServices
from service.admin.problems import Malformed, TooLarge, documented
from service.admin.strict import Asked, StrictRoute

router = APIRouter(prefix="/hospitals/{name}/alert-routes", tags=["alerts"], route_class=StrictRoute)


class Code(Asked):
    """The code that arrived with the newest test."""

    code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


@router.get("", responses=documented(NotFound), summary="Who is called about alerts, and whether that is confirmed")
def alert_routes(name: Registered, services: TheServices) -> models.AlertRoutes:
    found = services.confirming.routes(services.site(name))
    return models.AlertRoutes(alert_routes=[models.AlertRoute.model_validate(state) for state in found])


@router.post("/{route}/test", responses=documented(NotFound, HospitalError), summary="Send a test with a one-time code")
def test(route: Id, name: Registered, services: TheServices) -> models.AlertRoute:
    """The code of an earlier test is void; an earlier confirmation stays."""
    return models.AlertRoute.model_validate(services.confirming.test(services.site(name), route, ACTOR))


@router.post(
    "/{route}/confirm",
    responses=documented(NotFound, Malformed, TooLarge, Refused),
    summary="Give the code of a test back: the route is confirmed",
)
def confirm(asked: Code, route: Id, name: Registered, services: TheServices) -> models.AlertRoute:
    return models.AlertRoute.model_validate(services.confirming.confirm(services.site(name), route, asked.code, ACTOR))

"""Who may use the admin REST, and what every route works with."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import Depends, Path, Request
from fastapi.security.utils import get_authorization_scheme_param
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from pathway.errors import NotFound
from schedules.timetable import Timetable
from service.admin.problems import Unauthorized, problem
from service.bootstrap import Services

ACTOR = "admin"  # whom the audit names for what is done here

HospitalName = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9\-]{0,39}$", description="the name it was registered by")]
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9\-.]{1,64}$")]
ResourceType = Annotated[str, Path(pattern=r"^[A-Z][A-Za-z]{1,63}$", description="a FHIR resource type")]


class BearerOnly:
    """Lets nothing through without the token, neither routes nor their description."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._fits(Headers(scope=scope).get("authorization")):
            await self._app(scope, receive, send)
        else:
            await problem(Unauthorized())(scope, receive, send)

    def _fits(self, header: str | None) -> bool:
        scheme, credentials = get_authorization_scheme_param(header)
        sent = credentials.encode("latin-1", "replace")
        return scheme.lower() == "bearer" and hmac.compare_digest(sent, self._token)


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


async def _timetable(request: Request) -> Timetable:
    timetable: Timetable = request.app.state.timetable
    return timetable


TheServices = Annotated[Services, Depends(_services)]
TheTimetable = Annotated[Timetable, Depends(_timetable)]


def registered(services: TheServices, name: HospitalName) -> str:
    """The name of a hospital that is registered. Raises NotFound."""
    return services.hospital(name).name


Registered = Annotated[str, Depends(registered)]


def plan_reference(care_plan: str) -> str:
    """`CarePlan/id` from a reference or an id. Raises NotFound for a reference to something else."""
    type, slash, id = care_plan.rpartition("/")
    if slash and type != "CarePlan":
        raise NotFound(f"{care_plan} is no CarePlan")
    return f"CarePlan/{id}"

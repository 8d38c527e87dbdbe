"""The admin REST: a FastAPI application of its own, described by OpenAPI."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Security
from fastapi.security import HTTPBearer

from pathway.version import VERSION
from schedules.timetable import Timetable
from service.admin import problems
from service.admin.access import BearerOnly
from service.admin.api import (
    alert_routes,
    alerts,
    downtimes,
    due,
    feeds,
    forecast,
    hospitals,
    outbox,
    patients,
    quarantine,
    sign_offs,
    simulations,
    sweep,
)
from service.bootstrap import Services

_ABOUT = """\
For the people who run the service: hospitals, what is planned for whom and why, what waits, and what was put aside.

Patients appear as references only. Every error is an `application/problem+json` (RFC 9457).
"""
_bearer = HTTPBearer(auto_error=False, description="asked for when the service has a token; see its settings")


class AdminApp(FastAPI):
    """Adds the error model, which no operation returns by itself, to the description."""

    def openapi(self) -> dict[str, Any]:
        described = super().openapi()
        problem = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        described["components"]["schemas"].update(problem.pop("$defs"), Problem=problem)
        return described


def admin_app(services: Services, timetable: Timetable) -> FastAPI:
    """Stands alone or is mounted, usually at /admin/v1; `timetable` is the one whose duties tick in this process."""
    app = AdminApp(
        title="Calcinosis pathway admin",
        version=VERSION,
        description=_ABOUT,
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        dependencies=[Security(_bearer)],
        responses=problems.documented(problems.Unauthorized, problems.Unexpected),
    )
    app.state.services = services
    app.state.timetable = timetable
    for part in (
        hospitals,
        sign_offs,
        patients,
        due,
        outbox,
        quarantine,
        alerts,
        alert_routes,
        feeds,
        sweep,
        simulations,
        downtimes,
        forecast,
    ):
        app.include_router(part.router)
    problems.install(app)
    token = services.settings.bearer_token
    if token is not None:
        app.add_middleware(BearerOnly, token=token.get_secret_value())
    return app

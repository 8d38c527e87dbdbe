"""The web application: each hospital's FHIR base, the admin REST, calendars, and what machines ask about its health."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from threading import Lock

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from fhir_adapters.server.app import fhir_app, fhir_routes
from pathway.errors import NotFound
from pathway.issues import Issue, operation_outcome
from pathway.version import VERSION
from service.admin.app import admin_app
from service.bootstrap import Services
from service.feed_routes import feed_routes
from service.logs import configure_logs
from service.probes import probe_routes


class FhirBases:
    """`/fhir` is the first hospital's base, `/hospitals/<name>/fhir` any hospital's; found when asked for."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._apps: dict[tuple[str, str], Starlette] = {}
        self._lock = Lock()

    def first(self) -> ASGIApp:
        return self._serving(lambda _: (self._services.first_hospital(), "/fhir"))

    def named(self) -> ASGIApp:
        def name(scope: Scope) -> tuple[str, str]:
            hospital = self._services.hospital(scope["path_params"]["name"]).name
            return hospital, f"/hospitals/{hospital}/fhir"

        return self._serving(name)

    def _serving(self, which: Callable[[Scope], tuple[str, str]]) -> ASGIApp:
        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                app = await run_in_threadpool(self._app, *await run_in_threadpool(which, scope))
            except NotFound as error:
                outcome = operation_outcome([Issue("error", "not-found", str(error))])
                response = JSONResponse(outcome, status_code=404, media_type="application/fhir+json")
                await response(scope, receive, send)
                return
            await app(scope, receive, send)

        return serve

    def _app(self, hospital: str, path: str) -> Starlette:
        with self._lock:
            if (hospital, path) not in self._apps:
                base = self._services.settings.public_url.rstrip("/") + path
                self._apps[hospital, path] = fhir_app(self._services.door(hospital, base))
            return self._apps[hospital, path]


def create_app(services: Services, *, work: bool = True) -> FastAPI:
    """The whole service; with `work` its duties tick in this process too."""
    timetable = services.timetable()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        configure_logs()
        if work:
            services.dispatcher.start()
            timetable.start()
        yield
        services.simulations.stop()
        if work:
            await run_in_threadpool(timetable.stop)
            await run_in_threadpool(services.dispatcher.stop)
            await run_in_threadpool(services.leadership.stop)

    app = FastAPI(
        title="Calcinosis pathway", version=VERSION, lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None
    )
    bases = FhirBases(services)
    app.mount("/admin/v1", admin_app(services, timetable))
    app.router.routes.extend(fhir_routes("/hospitals/{name}/fhir", bases.named()))
    app.router.routes.extend(fhir_routes("/fhir", bases.first()))
    app.router.routes.extend(feed_routes(services))
    app.router.routes.extend(probe_routes(services))
    return app

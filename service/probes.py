"""What machines ask to know how the service is: a sign of life, whether it does its work, and its numbers."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, request_response

from pathway.version import VERSION
from service import metrics, readiness
from service.admin.access import BearerOnly
from service.bootstrap import Services


def probe_routes(services: Services) -> list[Route]:
    """/healthz and /readyz are open; /metrics asks for the token when there is one."""

    def healthz(_: Request) -> Response:
        services.store.heartbeats()
        return JSONResponse({"status": "ok", "version": VERSION})

    def readyz(_: Request) -> Response:
        lacking = readiness.lacking(services)
        status = "not-ready" if lacking else "ready"
        return JSONResponse({"status": status, "version": VERSION, "lacking": lacking}, 503 if lacking else 200)

    def numbers(_: Request) -> Response:
        return PlainTextResponse(metrics.exposition(metrics.collected(services)), media_type=metrics.CONTENT_TYPE)

    token = services.settings.bearer_token
    guarded = BearerOnly(request_response(numbers), token.get_secret_value()) if token is not None else numbers
    return [
        Route("/healthz", healthz, methods=["GET"]),
        Route("/readyz", readyz, methods=["GET"]),
        Route("/metrics", guarded, methods=["GET"]),
    ]

"""One structured line for each request, without anything of a patient: no ids, no query, no body."""

from __future__ import annotations

from time import perf_counter

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ROUTE = "fhir_route"
log = structlog.get_logger(__name__)


class AccessLog:
    """Logs method, route pattern, status and milliseconds; the endpoint leaves its pattern in the scope."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            ms = round((perf_counter() - started) * 1000, 1)
            log.info("request", method=scope["method"], route=scope.get(ROUTE), status=status, ms=ms)

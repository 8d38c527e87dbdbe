"""Where calendar programs fetch a feed: an address of its own, which stays out of logs, caches and Referer headers."""

from __future__ import annotations

import hashlib

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, request_response

from fhir_adapters.server.access_log import ROUTE, AccessLog
from pathway.errors import NotFound, PathwayError
from service.bootstrap import Services

PATH = "/feeds/{token}.ics"
_HEADERS = {
    "Cache-Control": "private, no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}


def feed_routes(services: Services) -> list[Route]:
    """Open to whoever has the address. What is logged is the pattern, never the address."""

    def feed(request: Request) -> Response:
        request.scope[ROUTE] = PATH
        try:
            body = services.feeds.read(request.path_params["token"])
        except NotFound:
            return PlainTextResponse("There is no such calendar.\n", 404, _HEADERS)
        except PathwayError:
            return PlainTextResponse("This calendar cannot be shown now.\n", 503, _HEADERS)
        tag = f'"{hashlib.sha256(body).hexdigest()}"'
        headers = {**_HEADERS, "ETag": tag}
        if _has(request.headers.get("if-none-match", ""), tag):
            return Response(status_code=304, headers=headers)
        headers["Content-Disposition"] = 'inline; filename="visits.ics"'
        return Response(body, headers=headers, media_type="text/calendar; charset=utf-8")

    return [Route(PATH, AccessLog(request_response(feed)), methods=["GET"])]


def _has(if_none_match: str, tag: str) -> bool:
    """Whether the caller has this very body; a weak tag of it counts (RFC 9110, 13.1.2)."""
    known = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
    return tag in known or known == ["*"]

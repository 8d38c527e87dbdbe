"""The Starlette application of one hospital's FHIR base, and the routes to host it at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from fhir_adapters.r4 import admission
from fhir_adapters.server import negotiation, outcome
from fhir_adapters.server.access_log import ROUTE, AccessLog
from fhir_adapters.server.auth import authorize
from fhir_adapters.server.door import Door
from fhir_adapters.server.errors import InteractionNotSupported, Malformed, TooLarge
from fhir_adapters.server.interaction import Answer, FhirRequest, Interaction
from fhir_adapters.server.matching import parameters
from fhir_adapters.server.registry import rows
from fhir_adapters.server.resource_types import RESOURCE_TYPES, require_address
from fhir_adapters.server.versions import etag, last_modified
from pathway.errors import InvalidResource, NotFound
from pathway.ports import Resource

MAX_BODY_BYTES = admission.DEFAULT.size


def fhir_app(door: Door) -> Starlette:
    """The FHIR base of `door`; mount it with `fhir_routes`, or it answers at the root."""
    paths: dict[str, dict[str, Interaction]] = {}
    for interaction in rows(door):
        paths.setdefault(interaction.path, {})[interaction.method] = interaction
    app = Starlette(
        routes=[_route(door, path, by_method) for path, by_method in paths.items()],
        middleware=[Middleware(AccessLog)],
        exception_handlers={HTTPException: _no_route},
    )
    app.router.redirect_slashes = False
    return app


def fhir_routes(path: str, app: ASGIApp) -> list[BaseRoute]:
    """Routes for a host application: `path` without and with a slash at the end, so that bundles reach both."""
    return [Route(path, _Root(path, app)), Mount(path, app)]


class _Instance(Convertor[str]):
    """The place of an id in an address; what begins with $ is an operation's name."""

    regex = "[^/$][^/]*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("instance", _Instance())


class _Root:
    def __init__(self, path: str, app: ASGIApp) -> None:
        self._path = path
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        root = scope.get("root_path", "") + self._path
        await self._app(dict(scope) | {"root_path": root, "path": f"{root}/"}, receive, send)


def _route(door: Door, path: str, by_method: Mapping[str, Interaction]) -> Route:
    async def endpoint(request: Request) -> Response:
        interaction = by_method["GET" if request.method == "HEAD" else request.method]
        type = request.path_params.get("type", "")
        request.scope[ROUTE] = path.replace("{type}", type) if type in RESOURCE_TYPES else path
        try:
            if not interaction.public:
                authorize(door, request.headers.get("authorization"))
            asked = _asked(request, interaction)
            if interaction.level != "whole-system":
                require_address(request.method, asked.type, asked.id, asked.version)
            body = await _body(request, interaction)
            return await run_in_threadpool(_perform, door, interaction, asked, body)
        except Exception as error:
            return _response(outcome.answer(error))

    return Route(path.replace("{id}", "{id:instance}"), endpoint, methods=sorted(by_method))


def _asked(request: Request, interaction: Interaction) -> FhirRequest:
    headers, query = request.headers, parameters(request.url.query)
    negotiation.require_json_wanted(headers, query)
    returned, strict = negotiation.preferences(headers)
    named = request.path_params
    return FhirRequest(
        type=named.get("type", interaction.type),
        id=named.get("id", ""),
        version=named.get("version", ""),
        query=query,
        if_match=headers.get("if-match"),
        if_none_match=headers.get("if-none-match"),
        if_modified_since=headers.get("if-modified-since"),
        if_none_exist=headers.get("if-none-exist"),
        returned=returned,
        strict=strict,
    )


async def _body(request: Request, interaction: Interaction) -> bytes:
    """The body as far as the interaction has one. Raises TooLarge, UnsupportedMediaType."""
    if interaction.body == "none":
        return b""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise TooLarge(f"The body is larger than {MAX_BODY_BYTES} bytes")
    except ClientDisconnect as error:
        raise Malformed("The connection ended before the body did") from error
    if body or interaction.body != "optional":
        negotiation.require_media_type(
            request.headers, negotiation.FORM if interaction.body == "form" else negotiation.JSON
        )
    return bytes(body)


def _perform(door: Door, interaction: Interaction, asked: FhirRequest, body: bytes) -> Response:
    if interaction.body == "form":
        asked = replace(asked, query=[*asked.query, *parameters(_decoded(body))])
    elif interaction.body == "resource" or body:
        asked = replace(asked, resource=_resource(body))
    return _response(interaction.perform(door, asked))


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("The form is not UTF-8") from error


def _resource(body: bytes) -> Resource:
    try:
        return admission.parse(body)
    except InvalidResource as error:
        raise Malformed(error.issues) from error


def _response(answer: Answer) -> Response:
    headers = {"Cache-Control": "private, no-cache", **answer.headers}
    if answer.subject is not None:
        headers |= {"ETag": etag(answer.subject), "Last-Modified": last_modified(answer.subject)}
    if answer.location is not None:
        headers["Location"] = answer.location
    if answer.resource is None:
        return Response(status_code=answer.status, headers=headers)
    return Response(admission.render(answer.resource), answer.status, headers, negotiation.JSON)


async def _no_route(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code != 404:
        allowed = (error.headers or {}).get("Allow", "").split(", ")
        return _response(
            outcome.answer(InteractionNotSupported(f"{request.method[:16]} is not possible here", allowed=allowed))
        )
    name = request.url.path.rpartition("/")[2]
    if name.startswith("$"):
        found = f"There is no operation {name[:64]} here; the CapabilityStatement lists those of each type"
        return _response(outcome.answer(NotFound(found)))
    return _response(outcome.answer(NotFound("This address is not one of a FHIR base")))

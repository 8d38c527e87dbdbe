"""What goes wrong in the admin REST, as RFC 9457 problem+json: the one place where status codes are chosen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pathway.errors import (
    Conflict,
    HospitalError,
    InvalidDefinition,
    InvalidResource,
    MultipleMatches,
    NotFound,
    PathwayError,
    Refused,
)

MEDIA_TYPE = "application/problem+json"
_TYPE = "https://calcinosis-pathway.example/problems/"
_SHOWN = 80
_log = structlog.get_logger(__name__)


class FieldError(BaseModel):
    """One wrong place of a request; what was sent there is not repeated."""

    where: str = Field(examples=["body.site.zone"])
    message: str


class Problem(BaseModel):
    """RFC 9457; `errors` only when the request itself is wrong."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = Field(None, description="urn:uuid of the log entry of an unexpected error")
    errors: list[FieldError] | None = None


class Malformed(PathwayError):
    """The body is not JSON that can be read."""


class TooLarge(PathwayError):
    """The body is larger than the admin REST accepts."""


class Unauthorized(PathwayError):
    """Send the bearer token of this service in the header Authorization."""


class Invalid(PathwayError):
    """The request does not have the form that this operation asks for."""


class Unexpected(PathwayError):
    """Something went wrong here; the log entry named in `instance` says what."""


@dataclass(frozen=True)
class _Entry:
    status: HTTPStatus
    slug: str
    title: str


_CATALOGUE: Mapping[type[Exception], _Entry] = {
    Malformed: _Entry(HTTPStatus.BAD_REQUEST, "malformed", "The body cannot be read"),
    TooLarge: _Entry(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", "The body is too large"),
    Unauthorized: _Entry(HTTPStatus.UNAUTHORIZED, "unauthorized", "A bearer token is needed"),
    Invalid: _Entry(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "The request is not valid"),
    NotFound: _Entry(HTTPStatus.NOT_FOUND, "not-found", "There is no such thing"),
    Conflict: _Entry(HTTPStatus.CONFLICT, "conflict", "Something else happened first"),
    MultipleMatches: _Entry(HTTPStatus.CONFLICT, "multiple-matches", "Several things match"),
    Refused: _Entry(HTTPStatus.UNPROCESSABLE_ENTITY, "refused", "A rule forbids it"),
    InvalidResource: _Entry(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-resource", "The resource is not valid"),
    InvalidDefinition: _Entry(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-definition", "The definition cannot be used"),
    HospitalError: _Entry(HTTPStatus.BAD_GATEWAY, "hospital", "The hospital's server did not do its part"),
    Unexpected: _Entry(HTTPStatus.INTERNAL_SERVER_ERROR, "unexpected", "Something went wrong here"),
}


def documented(*errors: type[PathwayError]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI responses of an operation that can end in these errors; it can always be asked wrongly."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    found: dict[int | str, dict[str, Any]] = {}
    every: tuple[type[PathwayError], ...] = (Invalid, *errors)
    for error in every:
        entry = _entry(error)
        known = found.get(entry.status.value)
        description = f"{known['description']}; {entry.title.lower()}" if known else entry.title
        found[entry.status.value] = {"description": description, "content": content}
    return found


def problem(error: PathwayError, *, instance: str | None = None, errors: list[FieldError] | None = None) -> Response:
    """The error as a response."""
    entry = _entry(type(error))
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthorized) else None
    return _response(entry.slug, entry.title, entry.status, str(error), headers, instance=instance, errors=errors)


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem."""
    app.add_exception_handler(PathwayError, _pathway_error)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _http)
    app.add_middleware(LastResort)


class LastResort:
    """An unexpected error is logged under an id; the answer names the id and nothing else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            log_id = str(uuid4())
            _log.exception("admin.unexpected", log_id=log_id)
            if not started and scope["type"] == "http":
                await problem(Unexpected(), instance=f"urn:uuid:{log_id}")(scope, receive, send)


def _entry(error: type[Exception]) -> _Entry:
    return next((_CATALOGUE[kind] for kind in error.__mro__ if kind in _CATALOGUE), _CATALOGUE[Unexpected])


def _response(
    slug: str, title: str, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any
) -> Response:
    body = Problem(type=f"{_TYPE}{slug}", title=title, status=status, detail=detail, **more)
    return JSONResponse(body.model_dump(exclude_none=True), status, headers, MEDIA_TYPE)


def _pathway_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, PathwayError)
    return problem(error)


def _http(_: Request, error: Exception) -> Response:
    """Starlette's own: no such route, no such method; and what kept a body from being read, as its cause."""
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, PathwayError):
        return problem(error.__cause__)
    status = HTTPStatus(error.status_code)
    slug = status.phrase.lower().replace(" ", "-")
    return _response(slug, status.phrase, status, status.description or status.phrase, error.headers)


def _not_valid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem(Invalid(), errors=[_field_error(found) for found in error.errors()])


def _field_error(found: Mapping[str, Any]) -> FieldError:
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{str(step)[:_SHOWN]}" for step in found["loc"])
    message = re.sub(r"^Value error, ", "", str(found["msg"]))
    sent = found.get("input")
    if isinstance(sent, str) and sent:
        message = message.replace(repr(sent), "this value")
    return FieldError(where=where.lstrip("."), message=message)

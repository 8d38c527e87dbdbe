"""Errors as OperationOutcomes; the only place that gives an error its HTTP status
(https://hl7.org/fhir/R4/http.html#Status-Codes)."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from uuid import uuid4

import structlog

from fhir_adapters.server.errors import (
    EntryFailed,
    InteractionNotSupported,
    Malformed,
    NotAcceptable,
    PreconditionFailed,
    TooLarge,
    Unauthorized,
    UnsupportedMediaType,
)
from fhir_adapters.server.interaction import Answer
from pathway.errors import Conflict, Gone, InvalidResource, MultipleMatches, NotFound, PathwayError, Refused
from pathway.issues import Issue, operation_outcome

log = structlog.get_logger(__name__)

_STATUS: Mapping[type[BaseException], HTTPStatus] = {
    Malformed: HTTPStatus.BAD_REQUEST,
    Unauthorized: HTTPStatus.UNAUTHORIZED,
    NotFound: HTTPStatus.NOT_FOUND,
    InteractionNotSupported: HTTPStatus.METHOD_NOT_ALLOWED,
    NotAcceptable: HTTPStatus.NOT_ACCEPTABLE,
    Conflict: HTTPStatus.CONFLICT,
    Gone: HTTPStatus.GONE,
    MultipleMatches: HTTPStatus.PRECONDITION_FAILED,
    PreconditionFailed: HTTPStatus.PRECONDITION_FAILED,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    InvalidResource: HTTPStatus.UNPROCESSABLE_ENTITY,
    Refused: HTTPStatus.UNPROCESSABLE_ENTITY,
}


def answer(error: Exception) -> Answer:
    """What the client is told; about an error nobody foresaw, only under which id the log has it."""
    cause = error.cause if isinstance(error, EntryFailed) else error
    status = next((_STATUS[each] for each in type(cause).__mro__ if each in _STATUS), None)
    if status is None or not isinstance(error, PathwayError):
        return _unforeseen(error)
    headers = {}
    if isinstance(cause, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(cause, InteractionNotSupported) and cause.allowed:
        headers["Allow"] = ", ".join(cause.allowed)
    return Answer(status, operation_outcome(error.issues), headers=headers)


def _unforeseen(error: Exception) -> Answer:
    """The log gets where it happened; the message stays out of it, as it may quote a resource."""
    log_id = uuid4().hex
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    log.error("unforeseen error", id=log_id, error=type(error).__name__, where=where[-8:])
    issue = Issue("fatal", "exception", f"This server failed; its log has the details under {log_id}")
    return Answer(HTTPStatus.INTERNAL_SERVER_ERROR, operation_outcome([issue]))

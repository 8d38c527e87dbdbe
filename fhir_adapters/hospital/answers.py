"""What an HTTP answer of a hospital means: the one place where status codes become our errors."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from fhir_adapters.r4.admission import parse
from pathway.errors import (
    Conflict,
    Forbidden,
    Gone,
    HospitalError,
    InvalidResource,
    MultipleMatches,
    NotFound,
    NotLetIn,
    Rejected,
    TooBusy,
    Unreachable,
)
from pathway.ports import Resource

_ETAG = re.compile(r'(?:W/)?"?([^"]+)"?')
_BUSY = {429, 502, 503, 504, 408, 423}


def accepted(response: httpx.Response) -> httpx.Response:
    """The response when it says yes; raises the error it means otherwise.

    412 is decided by what was asked: a stale If-Match, or a condition that several resources fit. 409 is stale too
    (HAPI, Oracle Health), or the loser of a race, which is to look again.
    """
    status = response.status_code
    if response.is_success or status == 304:
        return response
    request = response.request
    said = outcome_text(response)
    message = f"{_asked(request)} was answered with {status}{': ' + said if said else ''}"
    if status == 404:
        raise NotFound(message)
    if status == 410:
        raise Gone(message)
    if status == 409 or (status == 412 and "if-match" in request.headers):
        raise Conflict(message)
    if status == 412:
        raise MultipleMatches(message)
    if status == 401:
        raise NotLetIn(message, status=status, outcome=said)
    if status == 403:
        raise Forbidden(message, status=status, outcome=said)
    if status in _BUSY:
        raise TooBusy(message, retry_after=_retry_after(response), status=status)
    if status >= 500:
        raise HospitalError(message, status=status, outcome=said)
    raise Rejected(message, status=status, outcome=said)


def resource_of(response: httpx.Response) -> Resource:
    """The resource in the body, its version from the ETag where only that says it. Raises HospitalError."""
    try:
        resource = parse(response.content)
    except InvalidResource as error:
        raise HospitalError(f"{_asked(response.request)} was not answered with FHIR JSON: {error}") from error
    tag = _ETAG.fullmatch(response.headers.get("etag", ""))
    meta = resource.get("meta", {})
    if tag is None or "versionId" in meta or "id" not in resource:
        return resource
    return {**resource, "meta": {**meta, "versionId": tag[1]}}


def unreachable(error: httpx.TransportError, request: str) -> Unreachable:
    """A connection that broke: whether the server acted on the request is unknown."""
    return Unreachable(f"{request} got no answer: {type(error).__name__}")


def outcome_text(response: httpx.Response) -> str:
    """The issues of an OperationOutcome as text, shortened; empty when there is none."""
    try:
        body: Any = response.json()
    except ValueError:
        return ""
    issues = body.get("issue", []) if isinstance(body, dict) else []
    texts = [i.get("diagnostics") or (i.get("details") or {}).get("text") or i.get("code", "") for i in issues]
    return "; ".join(str(text) for text in texts if text)[:1000]


def _asked(request: httpx.Request) -> str:
    return f"{request.method} {request.url.path.rsplit('/fhir', 1)[-1] or '/'}"


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds, from either form of the header."""
    value = response.headers.get("retry-after", "")
    if value.isdigit():
        return float(value)
    try:
        until, now = parsedate_to_datetime(value), parsedate_to_datetime(response.headers["date"])
    except (ValueError, KeyError, TypeError):
        return None
    return max(0.0, (until - now).total_seconds())

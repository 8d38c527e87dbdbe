"""ETag, If-Match and Last-Modified (https://hl7.org/fhir/R4/http.html#concurrency)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from fhir_adapters.server.errors import Malformed, PreconditionFailed
from fhir_adapters.server.interaction import FhirRequest
from pathway.errors import Conflict
from pathway.ports import Resource

_ETAG = re.compile(r'(?:W/)?"([A-Za-z0-9\-.]{1,64})"')


def etag(resource: Resource) -> str:
    return f'W/"{resource["meta"]["versionId"]}"'


def last_modified(resource: Resource) -> str:
    """`meta.lastUpdated` as an HTTP date."""
    return format_datetime(_updated(resource), usegmt=True)


def required_version(request: FhirRequest) -> str | None:
    """The version If-Match asks for, None for any. Raises Malformed."""
    if request.if_match is None:
        return None
    match = _ETAG.fullmatch(request.if_match.strip())
    if match is None:
        raise Malformed('If-Match names one version, as in W/"3"')
    return match[1]


def not_modified(request: FhirRequest, resource: Resource) -> bool:
    """Whether the client has this version already; If-None-Match goes before If-Modified-Since (RFC 9110, 13.2.2)."""
    if request.if_none_match is not None:
        known = _ETAG.findall(request.if_none_match)
        return request.if_none_match.strip() == "*" or resource["meta"]["versionId"] in known
    if request.if_modified_since is None:
        return False
    try:
        since = parsedate_to_datetime(request.if_modified_since)
    except ValueError:
        return False  # RFC 9110, 13.1.3: a date that is none is ignored
    return _updated(resource).replace(microsecond=0) <= (since if since.tzinfo else since.replace(tzinfo=UTC))


@contextmanager
def based_on_version(request: FhirRequest) -> Iterator[None]:
    """A Conflict inside is the failure of If-Match when there was one."""
    try:
        yield
    except PreconditionFailed:
        raise
    except Conflict as error:
        if request.if_match is None:
            raise
        raise PreconditionFailed(str(error)) from error


def _updated(resource: Resource) -> datetime:
    return datetime.fromisoformat(resource["meta"]["lastUpdated"]).astimezone(UTC)

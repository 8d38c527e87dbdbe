"""Which format is spoken, and what the client prefers (https://hl7.org/fhir/R4/http.html#mime-type)."""

from __future__ import annotations

import re
from typing import cast

from starlette.datastructures import Headers

from fhir_adapters.server.errors import NotAcceptable, UnsupportedMediaType
from fhir_adapters.server.interaction import Returned
from pathway.ports import Query

JSON = "application/fhir+json"
FORM = "application/x-www-form-urlencoded"
_JSON_TYPES = frozenset({JSON, "application/json", "application/json+fhir", "text/json"})
_ACCEPTED = _JSON_TYPES | {"*/*", "application/*"}
_FORMATS = _JSON_TYPES | {"json", ""}
_VERSIONS = ("4.0", "4.0.1")
_RETURNED = ("minimal", "representation", "OperationOutcome")


def require_json_wanted(headers: Headers, query: Query) -> None:
    """Raises NotAcceptable when `_format`, or else Accept, leaves out JSON of R4."""
    formats = [value for name, value in query if name == "_format"]
    if formats:
        # A "+" that was not escaped in a URL arrives as a space.
        if formats[-1].replace(" ", "+").partition(";")[0] not in _FORMATS:
            raise NotAcceptable
        return
    accept = ",".join(headers.getlist("accept"))
    if accept.strip() and not any(_is_accepted(each) for each in accept.split(",")):
        raise NotAcceptable


def require_media_type(headers: Headers, *accepted: str) -> None:
    """Raises UnsupportedMediaType unless Content-Type is one of `accepted` in UTF-8; JSON's names are one."""
    media_type, *parameters = [part.strip() for part in headers.get("content-type", "").split(";")]
    known = media_type.lower() in accepted or (JSON in accepted and media_type.lower() in _JSON_TYPES)
    values = dict(parameter.lower().partition("=")[::2] for parameter in parameters)
    if not known or values.get("charset", "utf-8").strip('"') not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMediaType(f"This interaction reads {' or '.join(accepted)} in UTF-8")
    if values.get("fhirversion", "4.0") not in _VERSIONS:
        raise UnsupportedMediaType("This server reads FHIR 4.0")


def preferences(headers: Headers) -> tuple[Returned | None, bool]:
    """What Prefer says of `return` (None: nothing known), and whether `handling` is strict."""
    stated = re.split(r"[,;]", ",".join(headers.getlist("prefer")))
    values = dict(part.strip().partition("=")[::2] for part in stated)
    returned = values.get("return", "").strip('"')
    wanted = cast(Returned, returned) if returned in _RETURNED else None
    return wanted, values.get("handling", "").strip('"') == "strict"


def _is_accepted(media_range: str) -> bool:
    media_type, *parameters = [part.strip().lower() for part in media_range.split(";")]
    values = dict(parameter.partition("=")[::2] for parameter in parameters)
    refused = re.fullmatch(r"0(\.0*)?", values.get("q", "1")) is not None
    return media_type in _ACCEPTED and not refused and values.get("fhirversion", "4.0") in _VERSIONS

"""search-type, by GET and by POST (https://hl7.org/fhir/R4/http.html#search)."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from fhir_adapters.server.door import Door
from fhir_adapters.server.errors import Malformed
from fhir_adapters.server.interaction import Answer, FhirRequest
from fhir_adapters.server.search_parameters import OF_HTTP, RESULT_PARAMETERS, is_criterion
from pathway.errors import InvalidResource
from pathway.issues import Issue, operation_outcome
from pathway.ports import FhirRepository, Page, Query, Resource

PAGE = "_page"
_SUMMARIES = ("count", "false")


def search(repository: FhirRepository, door: Door, request: FhirRequest) -> Answer:
    """A searchset. What is not known is left out and named in an OperationOutcome entry; with `strict`, Malformed."""
    asked = [parameter for parameter in request.query if parameter[0] not in OF_HTTP]
    tokens = [value for name, value in asked if name == PAGE]
    asked = [parameter for parameter in asked if parameter[0] != PAGE]
    used = [parameter for parameter in asked if _is_known(request.type, *parameter)]
    ignored = [_ignored(request.type, *parameter) for parameter in asked if parameter not in used]
    if ignored and request.strict:
        raise Malformed([Issue("error", issue.code, issue.diagnostics) for issue in ignored])
    token = tokens[-1] if tokens else None
    try:
        page = repository.search(request.type, used, page=token)
    except InvalidResource as error:
        raise Malformed(error.issues) from error
    return Answer(HTTPStatus.OK, _searchset(f"{door.base}/{request.type}", door.base, used, token, page, ignored))


def _is_known(type: str, name: str, value: str) -> bool:
    if name == "_summary":
        return value in _SUMMARIES
    return name in RESULT_PARAMETERS or is_criterion(type, name)


def _ignored(type: str, name: str, value: str) -> Issue:
    shown = f"{name[:64]}={value[:64]}" if name == "_summary" else name[:64]
    return Issue("warning", "not-supported", f"{type} search does not support {shown!r}: it was ignored")


def _searchset(
    url: str, base: str, used: Query, token: str | None, page: Page, ignored: Sequence[Issue]
) -> dict[str, Any]:
    links = [_link("self", url, used, token)]
    if page.next is not None:
        links.append(_link("next", url, used, page.next))
    total = page.total
    if total is None and token is None and page.next is None:
        total = len(page.resources)
    entries = [_match(base, resource) for resource in page.resources]
    if ignored:
        entries.append({"resource": operation_outcome(ignored), "search": {"mode": "outcome"}})
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset"}
    if total is not None:
        bundle["total"] = total
    bundle["link"] = links
    return bundle | ({"entry": entries} if entries else {})


def _link(relation: str, url: str, used: Query, token: str | None) -> Resource:
    query = urlencode([*used, *([(PAGE, token)] if token is not None else [])])
    return {"relation": relation, "url": f"{url}?{query}" if query else url}


def _match(base: str, resource: Resource) -> Resource:
    return {
        "fullUrl": f"{base}/{resource['resourceType']}/{resource['id']}",
        "resource": resource,
        "search": {"mode": "match"},
    }

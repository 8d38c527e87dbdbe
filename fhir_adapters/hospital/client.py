"""Any FHIR R4 server over HTTP as a `pathway.ports.FhirServer`.

Every request asks for strict search and uncached results; every search hit is compared with the identifier or patient
that was asked for, because servers exist that ignore a parameter and return all rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from urllib.parse import urlencode, urlsplit

import httpx

from fhir_adapters.hospital.answers import accepted, resource_of, unreachable
from fhir_adapters.hospital.capability import WritePlan, write_plan
from fhir_adapters.r4.admission import render
from pathway.errors import Conflict, Forbidden, HospitalError, MultipleMatches, NotFound
from pathway.ports import Change, Create, Delete, Key, Page, Query, Resource, Update, Written, from_page, search_all
from pathway.references import references_in

_JSON = "application/fhir+json"
_HEADERS = {"Accept": _JSON, "Cache-Control": "no-cache", "Prefer": "handling=strict"}
_PAGE = 200


@dataclass(frozen=True)
class Feed:
    """Changed resources, and the server's own time at which they were asked for."""

    as_of: datetime
    resources: Iterable[Resource]


class HospitalClient:
    """`http` brings time-outs and authorisation. All methods raise HospitalError when the server does not answer."""

    def __init__(self, base: str, http: httpx.Client) -> None:
        self._base = base.rstrip("/")
        self._http = http

    @property
    def base(self) -> str:
        return self._base

    @cached_property
    def plan(self) -> WritePlan:
        """How this server is written to, from its CapabilityStatement; read once."""
        return write_plan(resource_of(self._send("GET", f"{self._base}/metadata")))

    def read(self, type: str, id: str) -> Resource:
        return resource_of(self._send("GET", self._url(type, id)))

    def vread(self, type: str, id: str, version: str) -> Resource:
        return resource_of(self._send("GET", self._url(type, id, "_history", version)))

    def history(self, type: str, id: str) -> Sequence[Resource]:
        bundle = resource_of(self._send("GET", self._url(type, id, "_history")))
        versions = [entry["resource"] for entry in bundle.get("entry", []) if "resource" in entry]
        if not versions:
            raise NotFound(f"The server has no history of {type}/{id}")
        return versions

    def search(self, type: str, query: Query = (), *, page: str | None = None) -> Page:
        if page is not None and urlsplit(page)[:2] != urlsplit(self._base)[:2]:
            raise Forbidden(f"The next page of a {type} search is on another server; it was not followed")
        return self._page(type, self._send("GET", page or f"{self._url(type)}?{urlencode(list(query))}"), query)

    def _page(self, type: str, response: httpx.Response, query: Query) -> Page:
        bundle = resource_of(response)
        found = [e["resource"] for e in bundle.get("entry", []) if e.get("search", {}).get("mode", "match") == "match"]
        found = [r for r in found if r.get("resourceType") == type and _fits(r, query)]
        link = next((link["url"] for link in bundle.get("link", []) if link.get("relation") == "next"), None)
        return Page(found, link, bundle.get("total"))

    def transact(self, changes: Sequence[Change]) -> Sequence[Written]:
        """One transaction where the server has them, otherwise one after the other."""
        if len(changes) > 1 and self.plan.transaction:
            return self._transaction(changes)
        return [self._write(change) for change in changes]

    def changed_since(self, type: str, since: datetime | None) -> Feed:
        """Resources of `type` changed at or after `since`, by the server's own clock."""
        query = [("_count", str(_PAGE)), ("_sort", "_lastUpdated")]
        if since is not None:
            query.append(("_lastUpdated", f"ge{since.astimezone(UTC).isoformat(timespec='milliseconds')}"))
        first = self._send("GET", f"{self._url(type)}?{urlencode(query)}")
        try:
            as_of = parsedate_to_datetime(first.headers["date"])
        except (KeyError, ValueError) as error:
            raise HospitalError("The server sends no Date header to read its clock from") from error
        return Feed(as_of, from_page(self, type, query, self._page(type, first, query)))

    def find(self, type: str, key: Key) -> Resource | None:
        """The one resource that carries `key`. Raises MultipleMatches."""
        found = list(search_all(self, type, [("identifier", key.token())]))
        if len(found) > 1:
            ids = ", ".join(r["id"] for r in found)
            raise MultipleMatches(f"{len(found)} {type} resources carry {key.value}: {ids}")
        return found[0] if found else None

    def operate(self, type: str, name: str, parameters: Resource) -> Resource:
        """What `$name` on a type answers to a Parameters resource."""
        return resource_of(self._send("POST", self._url(type, f"${name}"), parameters))

    def _write(self, change: Change) -> Written:
        match change:
            case Create():
                return self._create(change)
            case Update():
                return self._update(change)
            case Delete():
                self._send("DELETE", self._url(change.type, change.id))
                return Written({"resourceType": change.type, "id": change.id}, deleted=True)

    def _create(self, change: Create) -> Written:
        type = change.resource["resourceType"]
        by = self.plan.of(type).create
        if by == "nothing":
            raise Forbidden(f"This server does not let us create {type}")
        if by == "own-id":
            return self._update(Update(change.resource))
        headers = {}
        if change.key is not None and by == "condition":
            headers["If-None-Exist"] = urlencode({"identifier": change.key.token()})
        elif change.key is not None:
            existing = self.find(type, change.key)
            if existing is not None:
                return Written(existing)
        body = {name: value for name, value in change.resource.items() if name != "id"}
        response = self._send("POST", self._url(type), body, headers)
        return Written(self._written(response, type, change.key), created=response.status_code == 201)

    def _update(self, change: Update) -> Written:
        type, id = change.resource["resourceType"], change.resource["id"]
        if not self.plan.of(type).update:
            raise Forbidden(f"This server does not let us update {type}")
        headers = {"If-Match": f'W/"{change.version}"'} if change.version is not None else {}
        response = self._send("PUT", self._url(type, id), change.resource, headers)
        return Written(self._written(response, type, None, id), created=response.status_code == 201)

    def _written(self, response: httpx.Response, type: str, key: Key | None, id: str | None = None) -> Resource:
        """The resource as the server has it now, from the answer or read again."""
        body = resource_of(response) if response.content else {}
        if body.get("resourceType") == type and body.get("meta", {}).get("versionId"):
            return body
        location = response.headers.get("location") or response.headers.get("content-location") or ""
        if id is None and f"{type}/" in location:
            id = location.rpartition(f"{type}/")[2].split("/")[0]
        if id is not None:
            return self.read(type, id)
        found = self.find(type, key) if key is not None else None
        if found is None:
            raise NotFound(f"The server accepted a {type} but does not say where it is")
        return found

    def _transaction(self, changes: Sequence[Change]) -> Sequence[Written]:
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [self._entry(c) for c in changes]}
        try:
            answer = resource_of(self._send("POST", self._base, bundle))
        except MultipleMatches as error:  # 412 does not say which entry it is about: a stale version is looked at first
            if any(isinstance(change, Update) and change.version is not None for change in changes):
                raise Conflict(str(error)) from error
            raise
        entries = answer.get("entry", [])
        if len(entries) != len(changes):
            raise HospitalError(f"{len(changes)} changes were answered with {len(entries)} entries")
        return [self._answered(change, e) for change, e in zip(changes, entries, strict=True)]

    def _entry(self, change: Change) -> Resource:
        if isinstance(change, Delete):
            return {"request": {"method": "DELETE", "url": f"{change.type}/{change.id}"}}
        resource, type = change.resource, change.resource["resourceType"]
        if isinstance(change, Create):
            request = {"method": "POST", "url": type}
            if change.key is not None:
                request["ifNoneExist"] = urlencode({"identifier": change.key.token()})
            entry = {"resource": {n: v for n, v in resource.items() if n != "id"}, "request": request}
            return {"fullUrl": f"urn:uuid:{resource['id']}", **entry} if "id" in resource else entry
        request = {"method": "PUT", "url": f"{type}/{resource['id']}"}
        if change.version is not None:
            request["ifMatch"] = f'W/"{change.version}"'
        return {"resource": resource, "request": request}

    def _answered(self, change: Change, entry: Resource) -> Written:
        if isinstance(change, Delete):
            return Written({"resourceType": change.type, "id": change.id}, deleted=True)
        type = change.resource["resourceType"]
        created = str(entry["response"].get("status", "")).startswith("201")
        location = entry["response"].get("location", "")
        id = location.rpartition(f"{type}/")[2].split("/")[0] or change.resource.get("id", "")
        return Written(entry.get("resource") or self.read(type, id), created=created)

    def _url(self, *parts: str) -> str:
        return "/".join((self._base, *parts))

    def _send(
        self, method: str, url: str, body: Resource | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        content = render(body) if body is not None else None
        kind = {"Content-Type": _JSON, "Prefer": "return=representation"} if body is not None else {}
        try:
            response = self._http.request(method, url, content=content, headers={**_HEADERS, **kind, **(headers or {})})
        except httpx.TransportError as error:
            raise unreachable(error, f"{method} {urlsplit(url).path.rpartition('/fhir')[2] or '/'}") from error
        return accepted(response)


def _fits(resource: Resource, query: Query) -> bool:
    """Whether it is a match by what can be judged here: id, identifier and patient."""
    return all(_matches(resource, name, value.split(",")) for name, value in query)


def _matches(resource: Resource, name: str, values: Sequence[str]) -> bool:
    if name == "_id":
        return resource.get("id") in values
    if name in ("patient", "subject"):
        about = {r.partition("/_history/")[0].rpartition("Patient/")[2] for r in references_in(resource)}
        return any(value.rpartition("/")[2] in about for value in values)
    if name == "identifier" and all("|" in value for value in values):
        carried = resource.get("identifier") or []
        listed = carried if isinstance(carried, list) else [carried]
        return any(f"{i.get('system', '')}|{i.get('value', '')}" in values for i in listed)
    return True

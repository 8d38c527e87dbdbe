"""From a CapabilityStatement to how each type is written and read there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from pathway.ports import Resource

CreateBy = Literal["condition", "search", "own-id", "nothing"]


@dataclass(frozen=True)
class TypePlan:
    """How one type is exchanged.

    `create`: by If-None-Exist; by a search and then a POST; by a PUT under our own id (types without an identifier);
    or not at all, and the resource stays here. `update`: whether PUT is offered. `by_time`: `_lastUpdated` works.
    `search`: whether it can be read at all, but for one at a time. `listed`: False where all this is a guess. `book`:
    it offers $find and $book, and a search that shows whether a booking was made whose answer was lost.
    """

    create: CreateBy
    update: bool
    by_time: bool
    search: bool = True
    listed: bool = True
    book: bool = False

    def explain(self) -> str:
        """For the hospital's engineers, as one sentence."""
        written = {
            "condition": "created once by If-None-Exist on our identifier",
            "search": "created after a search for our identifier found nothing",
            "own-id": "written by PUT under our own id",
            "nothing": "kept here: the server does not let us create it",
        }[self.create]
        updated = "updated with If-Match" if self.update else "never updated"
        searched = "read patient by patient" if self.search else "never searched"
        tried = "" if self.listed else "not listed by the server, tried all the same: "
        booked = "; booked by $find and $book where the site asks for it" if self.book else ""
        return f"{tried}{written}; {updated}; {'read by _lastUpdated' if self.by_time else searched}{booked}"


@dataclass(frozen=True)
class WritePlan:
    """The plan per type; one that the statement does not list (sekmet serves some) is tried the careful way."""

    software: str
    transaction: bool
    types: Mapping[str, TypePlan]

    def of(self, type: str) -> TypePlan:
        return self.types.get(type) or replace(_type_plan({"type": type}), listed=False)


_WITHOUT_IDENTIFIER = frozenset({"Provenance"})
_SCHEDULING = frozenset({"find", "book"})  # https://profiles.ihe.net/ITI/Scheduling/
# It converts every UCUM unit of a `number` parameter to days: a RiskAssessment with a range in percent, which R4
# demands (ras-1), is answered with 500 (HAPI-0389, seen with 8.8.0; hapifhir/hapi-fhir, BaseSearchParamExtractor).
_CANNOT_INDEX_PERCENT = "HAPI"


def write_plan(statement: Resource) -> WritePlan:
    """Compile the plan (https://hl7.org/fhir/R4/capabilitystatement.html)."""
    rest: Resource = next((r for r in statement.get("rest", []) if r.get("mode") == "server"), {})
    interactions = {i.get("code") for i in rest.get("interaction", [])}
    software = statement.get("software", {})
    types = {r["type"]: _type_plan(r) for r in rest.get("resource", [])}
    if "RiskAssessment" in types and str(software.get("name", "")).startswith(_CANNOT_INDEX_PERCENT):
        types["RiskAssessment"] = replace(types["RiskAssessment"], create="nothing")
    return WritePlan(
        software=" ".join(filter(None, (software.get("name"), software.get("version")))) or "unnamed server",
        transaction="transaction" in interactions,
        types=types,
    )


def _type_plan(resource: Resource) -> TypePlan:
    codes = {i.get("code") for i in resource.get("interaction", [])}
    if not codes:  # a server that lists types only: everything is tried the careful way
        codes = {"create", "update", "search-type"}
    parameters = {p.get("name") for p in resource.get("searchParam", [])}
    search = "search-type" in codes
    by_time = search and (not parameters or "_lastUpdated" in parameters)
    operations = {str(operation.get("name", "")).lstrip("$") for operation in resource.get("operation", [])}
    book = search and operations >= _SCHEDULING and resource["type"] == "Appointment"
    return TypePlan(_create_by(resource, codes), "update" in codes, by_time, search, book=book)


def _create_by(resource: Resource, codes: set[str | None]) -> CreateBy:
    if resource["type"] in _WITHOUT_IDENTIFIER:
        return "own-id" if "update" in codes else "nothing"
    if "create" not in codes:
        return "nothing"
    return "condition" if resource.get("conditionalCreate") else "search"

"""The shapes of an interaction: what was asked, what is answered, and the row that offers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from fhir_adapters.server.door import Door
from pathway.ports import Query, Resource

Returned = Literal["minimal", "representation", "OperationOutcome"]


@dataclass(frozen=True)
class FhirRequest:
    """An interaction as it was asked, over HTTP or by an entry of a Bundle. Conditions are the headers' texts.

    `returned` None leaves the choice to us; `strict` refuses search parameters we do not know.
    """

    type: str = ""
    id: str = ""
    version: str = ""
    query: Query = ()
    resource: Resource | None = None
    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: str | None = None
    if_none_exist: str | None = None
    returned: Returned | None = None
    strict: bool = False


@dataclass(frozen=True)
class Answer:
    """`resource` is the body; `subject` the version that ETag, Last-Modified and (if given) `location` speak of."""

    status: int
    resource: Resource | None = None
    subject: Resource | None = None
    location: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Perform = Callable[[Door, FhirRequest], Answer]


@dataclass(frozen=True)
class Interaction:
    """One row of the registry: `code` is FHIR's, or the name of an operation; `offers` goes into the
    CapabilityStatement's `rest.resource` as it is. With a `type` it is for that type only."""

    code: str
    level: Literal["whole-system", "type", "instance"]
    method: str
    path: str
    perform: Perform
    body: Literal["none", "resource", "optional", "form"] = "none"
    offers: Mapping[str, Any] = field(default_factory=dict)
    operation: str | None = None
    type: str = ""
    public: bool = False

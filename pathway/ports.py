"""What the rooms share: the shapes that cross them, and a Protocol for everything an adapter provides.

All calls are synchronous. A FHIR resource is a plain dict of its JSON (decimals as `decimal.Decimal`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from pathway.due_work import Claim, DueStore
from pathway.errors import HospitalError

Resource = dict[str, Any]
Query = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Key:
    """A business identifier that is unique per hospital and resource type."""

    system: str
    value: str

    def token(self) -> str:
        """As a FHIR token search value, `system|value`."""
        return f"{self.system}|{self.value}"

    def identifier(self) -> Resource:
        return {"system": self.system, "value": self.value}


@dataclass(frozen=True)
class Create:
    """Create `resource`, unless one of its type already carries `key` (FHIR `If-None-Exist`)."""

    resource: Resource
    key: Key | None = None


@dataclass(frozen=True)
class Update:
    """Replace a resource by `resource`; `version` is the one it was based on (FHIR `If-Match`), None for any."""

    resource: Resource
    version: str | None = None


@dataclass(frozen=True)
class Delete:
    """Delete a resource; its history stays."""

    type: str
    id: str


Change = Create | Update | Delete


@dataclass(frozen=True)
class Written:
    """A change as it was written: the resource with its new `meta`, and whether it is new."""

    resource: Resource
    created: bool = False
    deleted: bool = False

    @property
    def reference(self) -> str:
        return f"{self.resource['resourceType']}/{self.resource['id']}"


@dataclass(frozen=True)
class Page:
    """One page of a search: `next` is an opaque token for the following page, None at the end."""

    resources: Sequence[Resource]
    next: str | None = None
    total: int | None = None


class FhirRepository(Protocol):
    """FHIR read interactions on one hospital's base (https://hl7.org/fhir/R4/http.html)."""

    def read(self, type: str, id: str) -> Resource:
        """The current version. Raises NotFound, Gone."""

    def vread(self, type: str, id: str, version: str) -> Resource:
        """One version. Raises NotFound, Gone."""

    def search(self, type: str, query: Query = (), *, page: str | None = None) -> Page:
        """Resources of `type` that match every parameter. Raises InvalidResource for a parameter it does not know."""

    def history(self, type: str, id: str) -> Sequence[Resource]:
        """All versions, newest first. Raises NotFound."""


class FhirServer(FhirRepository, Protocol):
    """A repository that can be written: our store, or a hospital's server over HTTP."""

    def transact(self, changes: Sequence[Change]) -> Sequence[Written]:
        """All or none where the server can. Raises Conflict for a stale version, MultipleMatches for an unclear key."""


def search_all(repository: FhirRepository, type: str, query: Query = ()) -> Iterator[Resource]:
    """Every match over all pages; a resource seen on two pages comes once, in its newest form seen first.

    Raises HospitalError for pages that go in a circle.
    """
    seen: set[str] = set()
    for resource in from_page(repository, type, query, repository.search(type, query)):
        if resource["id"] not in seen:
            seen.add(resource["id"])
            yield resource


def from_page(repository: FhirRepository, type: str, query: Query, page: Page) -> Iterator[Resource]:
    """What stands on this page of the search for `query` and on all that follow it."""
    turned: set[str] = set()
    yield from page.resources
    while page.next is not None:
        if page.next in turned:
            raise HospitalError(f"The pages of a {type} search go in a circle")
        turned.add(page.next)
        page = repository.search(type, query, page=page.next)
        yield from page.resources


NOT_UNDERSTOOD = "exception"


@dataclass(frozen=True)
class Quarantined:
    """An input that could not be acted on: kept whole, explained, and visible until somebody resolves it.

    `version`: of the resource, or what else tells entries of one reference and reason apart, such as the place of a
    problem.
    """

    reason: str
    explanation: str
    reference: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class Alert:
    """A call to a person, without patient data: a code, and the Task that says the rest."""

    code: str
    priority: Literal["urgent", "stat"]
    task: str


@dataclass(frozen=True)
class Kept:
    """Why a CarePlan is as it is: `version` is the CarePlan's, `body` the Parameters that `explain.explained` makes.

    `recorded` (wire clock) and `clinical` are when it was found, `cause` is what set it off, `author` who wanted it:
    a clinician's reference, "" for the service itself.
    """

    version: int
    recorded: datetime
    clinical: datetime
    cause: str
    body: Resource
    author: str = ""


class ExplanationStore(Protocol):
    """Every explanation of the CarePlans of one hospital, inside one transaction."""

    def keep(self, care_plan: str, new: Kept) -> bool:
        """Keep it, unless it says what the newest one of the CarePlan (its reference) says; whether it was kept."""

    def of(self, care_plan: str, version: int | None = None) -> Kept | None:
        """The newest one, or the newest that belongs to this version of the CarePlan or to one before."""


class Transaction(FhirServer, Protocol):
    """One database transaction on one hospital's data: its writes are based on what it read."""

    due: DueStore
    explanations: ExplanationStore

    @property
    def hospital(self) -> str: ...

    def receive(self, resource: Resource, source: str) -> Written | None:
        """Store what a hospital sent under its own id; None when this version is known already."""

    def of_patient(self, patient: str, types: Sequence[str]) -> Sequence[Resource]:
        """What the search `patient` (a reference of ours) finds of each of these types, in their order, at once."""

    def ours(self, reference: str) -> str:
        """The reference in our ids: a hospital's copy of our resource becomes ours; absolute becomes relative."""

    def authored(self, reference: str) -> bool:
        """Whether the resource is one of ours, which the hospital holds a copy of at most."""

    def send(self, reference: str) -> None:
        """Ask for the current version of one of our resources to exist at the hospital (outbox)."""

    def sent(self, reference: str) -> bool:
        """Whether the resource was asked to be sent or is at the hospital already."""

    def quarantine(self, entry: Quarantined) -> None:
        """Record an input that could not be acted on, once per reference, version and reason."""

    def report(self, reference: str, reason: str, problems: Mapping[str, str]) -> None:
        """What is wrong with it now: an entry in quarantine for each place, with its sentence.

        One that was resolved is open again while its problem lasts; one whose problem is gone is resolved.
        """

    def settle(self, reference: str, version: str) -> None:
        """What was quarantined by this reference and version is taken up again, or has gone well since."""

    def excluded(self) -> frozenset[tuple[str, str]]:
        """Reference and version of what could not be understood (quarantined as `exception`, still open):
        nothing is decided on it."""

    def alert(self, alert: Alert) -> None:
        """Ask for a person to be called, once per Task."""

    def savepoint(self) -> AbstractContextManager[None]:
        """A part that is undone alone when it raises."""


class HandOver(Protocol):
    """Passes a claimed batch on to an engine, by the driver's own connection: in the transaction that claims it."""

    def __call__(self, connection: Any, hospital: str, token: str) -> None: ...


class Store(Protocol):
    """Our database: a transaction at a time on one hospital's data, and what spans hospitals."""

    def transaction(self, hospital: str, *, read_only: bool = False) -> AbstractContextManager[Transaction]:
        """Commits at the end, rolls back when the body raises; a `read_only` one cannot write. Raises NotFound."""

    def repository(self, hospital: str) -> FhirServer:
        """The hospital's base as a plain FHIR repository; each call is a transaction of its own."""

    def claim_due(
        self,
        hospital: str,
        clinical_now: datetime,
        limit: int,
        lease: timedelta,
        hand_over: HandOver | None = None,
    ) -> Sequence[Claim]:
        """Take due work that nobody holds (or whose lease ran out), oldest first.

        `hand_over` is called inside the transaction that claims, if there is anything: both happen or neither.
        """

    def claimed(self, hospital: str, token: str) -> Sequence[Claim]:
        """What is still held under a token, oldest first: nothing of what was finished, planned anew or taken over."""

    def held(self, hospital: str) -> int:
        """How many pieces of due work somebody holds."""

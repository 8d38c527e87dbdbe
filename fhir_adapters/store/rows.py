"""What the FHIR interactions need from a place that keeps versions: implemented in SQL and in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from fhir_adapters.store import content
from pathway.ports import Key, Resource


@dataclass(frozen=True)
class Version:
    """One version of a resource. A deletion is a version too; its content is only type, id and meta."""

    type: str
    id: str
    version: int
    last_updated: datetime
    content: str
    deleted: bool
    source: str

    @property
    def reference(self) -> str:
        return f"{self.type}/{self.id}"

    def resource(self) -> Resource:
        """A fresh copy: changing it changes nothing here."""
        return content.decode(self.content)


@dataclass(frozen=True)
class Received:
    """What was last received of a hospital's resource: their `meta.versionId` and the content's fingerprint."""

    their_version: str | None
    hash: str


@dataclass(frozen=True)
class Audited:
    """Who (`actor`) did what (FHIR interaction code) to which version."""

    at: datetime
    actor: str
    action: str
    reference: str
    version: str | None = None


class Rows(Protocol):
    """The versions of one hospital's resources, inside one transaction."""

    def current(self, type: str, id: str) -> Version | None: ...

    def version(self, type: str, id: str, version: int) -> Version | None: ...

    def versions(self, type: str, id: str) -> Sequence[Version]:
        """Newest first."""

    def newest(self) -> datetime | None:
        """When anything of this hospital was last written."""

    def append(self, version: Version, resource: Resource) -> None:
        """Make this the current version, and the resource findable unless it is deleted."""

    def owner(self, type: str, key: Key) -> str | None:
        """The id of the resource that has this key of ours."""

    def own(self, type: str, key: Key, id: str) -> None: ...

    def disown(self, type: str, id: str) -> None: ...

    def carriers(self, type: str, key: Key) -> Sequence[str]:
        """Ids of the current resources with this identifier."""

    def received(self, type: str, id: str) -> Received | None: ...

    def remember(self, type: str, id: str, received: Received) -> None: ...

    def record(self, entry: Audited) -> None: ...

"""The FHIR interactions on versions, wherever they are kept (https://hl7.org/fhir/R4/http.html)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from uuid import uuid4

from fhir_adapters.store.content import encode, fingerprint, id_of, meta_of, same_content, stamped, type_of
from fhir_adapters.store.hospitals import HospitalRecord
from fhir_adapters.store.references import parts, relative
from fhir_adapters.store.rows import Audited, Received, Rows, Version
from fhir_adapters.store.times import whole_milliseconds
from pathway.codes import KEY_SYSTEM
from pathway.errors import Conflict, Gone, MultipleMatches, NotFound
from pathway.ports import Change, Create, Delete, Key, Resource, Update, Written


class Interactions(ABC):
    """Part of a `pathway.ports.Transaction` over `rows`; `now` is the wire clock's time of the transaction.

    `actor` is who the audit names for what is written.
    """

    def __init__(self, rows: Rows, record: HospitalRecord, now: datetime, actor: str) -> None:
        self._rows = rows
        self._actor = actor
        self.record = record
        self.now = now

    @property
    def hospital(self) -> str:
        return self.record.name

    @abstractmethod
    def savepoint(self) -> AbstractContextManager[None]: ...

    def read(self, type: str, id: str) -> Resource:
        return _present(self._rows.current(type, id), f"{type}/{id}").resource()

    def vread(self, type: str, id: str, version: str) -> Resource:
        number = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0
        return _present(self._rows.version(type, id, number), f"{type}/{id}/_history/{version}").resource()

    def history(self, type: str, id: str) -> Sequence[Resource]:
        return [version.resource() for version in self.versions(type, id) if not version.deleted]

    def versions(self, type: str, id: str) -> Sequence[Version]:
        """Like `history`, with deletions and sources. Raises NotFound."""
        versions = self._rows.versions(type, id)
        if not versions:
            raise NotFound(f"There is no {type}/{id}")
        return versions

    def transact(self, changes: Sequence[Change]) -> Sequence[Written]:
        """In the order given; undone as a whole when one raises Conflict, MultipleMatches or InvalidResource."""
        with self.savepoint():
            return [self._write(change) for change in changes]

    def receive(self, resource: Resource, source: str) -> Written | None:
        type, id = type_of(resource), id_of(resource)
        now_received = Received(meta_of(resource).get("versionId"), fingerprint(resource))
        known, current = self._rows.received(type, id), self._rows.current(type, id)
        if now_received != known:
            self._rows.remember(type, id, now_received)
        present = current is not None and not current.deleted
        if present and known is not None and known.hash == now_received.hash:
            return None
        return self._append(resource, id, current, source)

    def received(self, type: str, id: str) -> Received | None:
        """What the hospital last sent of it: its `meta.versionId` and a hash."""
        return self._rows.received(type, id)

    def authored(self, reference: str) -> bool:
        named = parts(relative(reference, self.record.base_url))
        if named is None or self._rows.received(*named) is not None:
            return False
        current = self._rows.current(*named)
        if current is not None and current.deleted:
            current = next((version for version in self._rows.versions(*named) if not version.deleted), None)
        return current is not None and (current.type == "Provenance" or any(_keys(current.resource())))

    def audit(self, actor: str, action: str, reference: str, version: str | None = None) -> None:
        """Record something that is no write of a resource; those are recorded by themselves."""
        self._rows.record(Audited(self.now, actor, action, reference, version))

    def _write(self, change: Change) -> Written:
        match change:
            case Create():
                return self._create(change)
            case Update():
                return self._update(change)
            case Delete():
                return self._delete(change)

    def _create(self, change: Create) -> Written:
        type = type_of(change.resource)
        existing = self._existing(type, change.key) if change.key else None
        if existing is not None:
            return Written(existing.resource())
        id = id_of(change.resource) if "id" in change.resource else str(uuid4())
        current = self._rows.current(type, id)
        if current is not None and not current.deleted:
            raise Conflict(f"{type}/{id} exists already")
        self._take_keys(type, id, change.resource, change.key)
        return self._append(change.resource, id, current, self._actor)

    def _existing(self, type: str, key: Key) -> Version | None:
        owner = self._rows.owner(type, key)
        found = [owner] if owner else self._rows.carriers(type, key) if key.system != KEY_SYSTEM else []
        if len(found) > 1:
            raise MultipleMatches(f"{len(found)} {type} resources carry the identifier {key.token()}")
        return self._rows.current(type, found[0]) if found else None

    def _update(self, change: Update) -> Written:
        type, id = type_of(change.resource), id_of(change.resource)
        current = self._rows.current(type, id)
        if change.version is not None and (current is None or str(current.version) != change.version):
            found = f"version {current.version}" if current else "not there"
            raise Conflict(f"{type}/{id} is {found}, not version {change.version}: read it again and repeat the change")
        if current is not None and not current.deleted and same_content(current.resource(), change.resource):
            return Written(current.resource())
        self._take_keys(type, id, change.resource, None)
        return self._append(change.resource, id, current, self._actor)

    def _delete(self, change: Delete) -> Written:
        current = self._rows.current(change.type, change.id)
        empty = {"resourceType": change.type, "id": change.id}
        if current is None or current.deleted:
            return Written(current.resource() if current else empty, deleted=True)
        self._rows.disown(change.type, change.id)
        return self._append(empty, change.id, current, self._actor, deleted=True)

    def _take_keys(self, type: str, id: str, resource: Resource, key: Key | None) -> None:
        wanted = set(_keys(resource)) | ({key} if key and key.system == KEY_SYSTEM else set())
        for each in sorted(wanted, key=Key.token):
            owner = self._rows.owner(type, each)
            if owner is None:
                self._rows.own(type, each, id)
            elif owner != id:
                raise Conflict(f"{type}/{owner} has the identifier {each.token()} already")

    def _append(
        self, resource: Resource, id: str, current: Version | None, source: str, *, deleted: bool = False
    ) -> Written:
        type, number = resource["resourceType"], (current.version + 1 if current else 1)
        newest = self._rows.newest()
        moment = whole_milliseconds(self.now)
        last_updated = moment if newest is None else max(moment, newest)
        written = stamped(resource, id, number, last_updated)
        version = Version(type, id, number, last_updated, encode(written), deleted, source)
        self._rows.append(version, written)
        created = current is None or current.deleted
        action = "delete" if deleted else "create" if created else "update"
        self._rows.record(Audited(last_updated, source, action, version.reference, str(number)))
        return Written(written, created=created and not deleted, deleted=deleted)


def _present(version: Version | None, name: str) -> Version:
    if version is None:
        raise NotFound(f"There is no {name}")
    if version.deleted:
        raise Gone(f"{name} was deleted")
    return version


def _keys(resource: Resource) -> Iterator[Key]:
    identifiers = resource.get("identifier")
    for identifier in identifiers if isinstance(identifiers, list) else [identifiers]:
        if isinstance(identifier, dict) and identifier.get("system") == KEY_SYSTEM and identifier.get("value"):
            yield Key(KEY_SYSTEM, str(identifier["value"]))

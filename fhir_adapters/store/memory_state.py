"""What the memory store keeps of one hospital: dicts of values that never change, so that a copy is a snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from fhir_adapters.store.content import decode, encode
from fhir_adapters.store.hospitals import HospitalRecord
from fhir_adapters.store.indexing import Indexed, indexed
from fhir_adapters.store.links import Link
from fhir_adapters.store.rows import Audited, Received, Version
from pathway.due_work import DueWork
from pathway.ports import Alert, Kept, Key, Quarantined, Resource

Name = tuple[str, str]


@dataclass(frozen=True)
class Held:
    """Due work with its claim, as in the due table."""

    work: DueWork
    next_at: datetime
    token: str | None = None
    lease_until: datetime | None = None


@dataclass
class State:
    """`versions` oldest first; `order` is when each resource was last written; `outbox` the wanted version."""

    record: HospitalRecord
    writes: int = 0
    newest: datetime | None = None
    versions: dict[Name, tuple[Version, ...]] = field(default_factory=dict)
    order: dict[Name, int] = field(default_factory=dict)
    found: dict[Name, Sequence[Indexed]] = field(default_factory=dict)
    owners: dict[tuple[str, Key], str] = field(default_factory=dict)
    received: dict[Name, Received] = field(default_factory=dict)
    links: dict[Name, Link] = field(default_factory=dict)
    outbox: dict[Name, int] = field(default_factory=dict)
    due: dict[str, Held] = field(default_factory=dict)
    explanations: dict[str, tuple[Kept, ...]] = field(default_factory=dict)
    quarantine: dict[tuple[str, str, str], Quarantined] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    audit: tuple[Audited, ...] = ()

    def copy(self) -> State:
        dicts: dict[str, Any] = {name: dict(value) for name, value in vars(self).items() if isinstance(value, dict)}
        return replace(self, **dicts)

    def become(self, other: State) -> None:
        """Take over what another one holds."""
        vars(self).update(vars(other))


class MemoryRows:
    """Implements `Rows` on a state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def current(self, type: str, id: str) -> Version | None:
        versions = self._state.versions.get((type, id))
        return versions[-1] if versions else None

    def version(self, type: str, id: str, version: int) -> Version | None:
        return next((each for each in self._state.versions.get((type, id), ()) if each.version == version), None)

    def versions(self, type: str, id: str) -> Sequence[Version]:
        return self._state.versions.get((type, id), ())[::-1]

    def newest(self) -> datetime | None:
        return self._state.newest

    def append(self, version: Version, resource: Resource) -> None:
        state, name = self._state, (version.type, version.id)
        state.writes += 1
        state.newest = version.last_updated
        state.versions[name] = (*state.versions.get(name, ()), version)
        state.order[name] = state.writes
        state.found[name] = () if version.deleted else indexed(resource, state.record.base_url)

    def owner(self, type: str, key: Key) -> str | None:
        return self._state.owners.get((type, key))

    def own(self, type: str, key: Key, id: str) -> None:
        self._state.owners[type, key] = id

    def disown(self, type: str, id: str) -> None:
        self._state.owners = {key: owner for key, owner in self._state.owners.items() if (key[0], owner) != (type, id)}

    def carriers(self, type: str, key: Key) -> Sequence[str]:
        def carries(values: Sequence[Indexed]) -> bool:
            return any((v.param, v.system, v.value) == ("identifier", key.system, key.value) for v in values)

        return [id for (its_type, id), values in self._state.found.items() if its_type == type and carries(values)]

    def received(self, type: str, id: str) -> Received | None:
        return self._state.received.get((type, id))

    def remember(self, type: str, id: str, received: Received) -> None:
        self._state.received[type, id] = received

    def record(self, entry: Audited) -> None:
        self._state.audit = (*self._state.audit, entry)


class MemoryExplanationStore:
    """Implements `ExplanationStore` on a state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def keep(self, care_plan: str, new: Kept) -> bool:
        earlier = self._state.explanations.get(care_plan, ())
        if earlier and encode(earlier[-1].body) == encode(new.body):
            return False
        self._state.explanations[care_plan] = (*earlier, _copied(new))
        return True

    def of(self, care_plan: str, version: int | None = None) -> Kept | None:
        kept = self._state.explanations.get(care_plan, ())
        return next((_copied(each) for each in kept[::-1] if version is None or each.version <= version), None)


def _copied(kept: Kept) -> Kept:
    return replace(kept, body=decode(encode(kept.body)))

"""A store without a database: for tests and simulations, with the same behaviour as `SqlStore`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from fhir_adapters.store.hospitals import HospitalRecord, Kind, advanced
from fhir_adapters.store.interactions import Interactions
from fhir_adapters.store.links import Link
from fhir_adapters.store.matching import run
from fhir_adapters.store.memory_due import MemoryDueStore
from fhir_adapters.store.memory_state import MemoryExplanationStore, MemoryRows, State
from fhir_adapters.store.query import parse_query
from fhir_adapters.store.references import parts, relative
from fhir_adapters.store.repository import EachCallATransaction
from fhir_adapters.store.sql import SERVICE
from pathway.due_work import Claim, DueStore
from pathway.errors import Conflict, NotFound
from pathway.ports import (
    NOT_UNDERSTOOD,
    Alert,
    ExplanationStore,
    FhirServer,
    HandOver,
    Page,
    Quarantined,
    Query,
    Resource,
    search_all,
)


class MemoryTransaction(Interactions):
    """Implements `pathway.ports.Transaction` on a copy of the hospital's state."""

    due: DueStore
    explanations: ExplanationStore

    def __init__(self, state: State, now: datetime, actor: str) -> None:
        super().__init__(MemoryRows(state), state.record, now, actor)
        self.state = state
        self.explanations = MemoryExplanationStore(state)
        self.due = self.due_rows = MemoryDueStore(state)

    def search(self, type: str, query: Query = (), *, page: str | None = None) -> Page:
        return run(self.state, parse_query(type, query, self.record.base_url), page)

    def of_patient(self, patient: str, types: Sequence[str]) -> Sequence[Resource]:
        return [found for type in types for found in search_all(self, type, [("patient", patient), ("_count", "500")])]

    def ours(self, reference: str) -> str:
        inside = relative(reference, self.record.base_url)
        links = self.state.links.values()
        return next((link.reference for link in links if link.their_reference == inside), inside)

    def send(self, reference: str) -> None:
        """Raises NotFound."""
        named = parts(reference)
        current = self._rows.current(*named) if named else None
        if current is None:
            raise NotFound(f"There is no {reference} to send")
        self.state.outbox[current.type, current.id] = current.version

    def sent(self, reference: str) -> bool:
        named = parts(reference)
        return named in self.state.outbox or named in self.state.links

    def save_link(self, link: Link) -> None:
        """Insert the link, or replace that of the same resource of ours."""
        self.state.links[link.type, link.id] = link

    def quarantine(self, entry: Quarantined) -> None:
        self.state.quarantine.setdefault((entry.reference or "", entry.version or "", entry.reason), entry)

    def report(self, reference: str, reason: str, problems: Mapping[str, str]) -> None:
        kept = self.state.quarantine
        for key in [k for k in kept if (k[0], k[2]) == (reference, reason) and k[1] not in problems]:
            del kept[key]
        for place, text in problems.items():
            kept[reference, place, reason] = Quarantined(reason, text, reference, place)

    def settle(self, reference: str, version: str) -> None:
        kept = self.state.quarantine.items()
        self.state.quarantine = {name: entry for name, entry in kept if name[:2] != (reference, version)}

    def excluded(self) -> frozenset[tuple[str, str]]:
        return frozenset((r, version) for r, version, reason in self.state.quarantine if reason == NOT_UNDERSTOOD)

    def alert(self, alert: Alert) -> None:
        self.state.alerts.setdefault(alert.task, alert)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        before = self.state.copy()
        try:
            yield
        except BaseException:
            self.state.become(before)
            raise


class MemoryStore:
    """Implements `pathway.ports.Store`. One writing transaction at a time; one inside another is an error."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._states: dict[str, State] = {}
        self._writing = Lock()

    @contextmanager
    def transaction(
        self, hospital: str, *, actor: str = SERVICE, read_only: bool = False
    ) -> Iterator[MemoryTransaction]:
        """A `read_only` one waits for no writer and may not write: RuntimeError. Raises NotFound."""
        if read_only:
            before = self.state(hospital)
            state = before.copy()
            yield MemoryTransaction(state, self._clock(), actor)
            if state != before:
                raise RuntimeError("A transaction that may only read has written")
            return
        if not self._writing.acquire(timeout=10):
            raise RuntimeError("Another transaction is not ending: is this one inside it?")
        try:
            state = self.state(hospital).copy()
            yield MemoryTransaction(state, self._clock(), actor)
            self._states[hospital] = state
        finally:
            self._writing.release()

    def repository(self, hospital: str, *, actor: str = SERVICE) -> FhirServer:
        return EachCallATransaction(lambda: self._reading(hospital), lambda: self.transaction(hospital, actor=actor))

    def claim_due(
        self,
        hospital: str,
        clinical_now: datetime,
        limit: int,
        lease: timedelta,
        hand_over: HandOver | None = None,
    ) -> Sequence[Claim]:
        with self.transaction(hospital) as tx:
            claims = tx.due_rows.claim(clinical_now, tx.now, limit, lease)
            if claims and hand_over is not None:
                hand_over(None, hospital, claims[0].token)
            return claims

    def claimed(self, hospital: str, token: str) -> Sequence[Claim]:
        return MemoryDueStore(self.state(hospital)).claimed(token)

    def held(self, hospital: str) -> int:
        return MemoryDueStore(self.state(hospital)).held(self._clock())

    def register(self, name: str, kind: Kind, base_url: str, site: dict[str, Any] | None = None) -> HospitalRecord:
        """A new hospital, not active yet. Raises Conflict when the name is taken."""
        if name in self._states:
            raise Conflict(f"There is a hospital {name} already")
        record = HospitalRecord(name, kind, base_url.rstrip("/"), self._clock(), site or {})
        self._states[name] = State(record)
        return record

    def state(self, hospital: str) -> State:
        """What was committed, to look at. Raises NotFound."""
        if hospital not in self._states:
            raise NotFound(f"There is no hospital {hospital}")
        return self._states[hospital]

    def clinical_now(self, hospital: str) -> datetime:
        """The wire clock plus the hospital's offset. Raises NotFound."""
        return self._clock() + self.state(hospital).record.clinical_offset

    def advance(self, hospital: str, by: timedelta) -> datetime:
        """Set the clinical clock ahead; its new time. Raises Refused for a real hospital."""
        with self.transaction(hospital) as tx:
            tx.state.record = replace(tx.record, clinical_offset=advanced(tx.record, by))
        return self.clinical_now(hospital)

    @contextmanager
    def _reading(self, hospital: str) -> Iterator[MemoryTransaction]:
        yield MemoryTransaction(self.state(hospital), self._clock(), SERVICE)

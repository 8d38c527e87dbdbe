"""One database transaction on one hospital's data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection

from fhir_adapters.store import sql_search
from fhir_adapters.store.alert_routes import AlertRoutes
from fhir_adapters.store.alerts import Alerts
from fhir_adapters.store.cursors import Cursors
from fhir_adapters.store.explanations import SqlExplanationStore
from fhir_adapters.store.feed_tokens import FeedTokens
from fhir_adapters.store.hospitals import HospitalRecord
from fhir_adapters.store.interactions import Interactions
from fhir_adapters.store.links import Links
from fhir_adapters.store.outbox import OUTBOX, Outbox
from fhir_adapters.store.quarantine import QuarantineEntry, QuarantineLedger
from fhir_adapters.store.query import parse_query
from fhir_adapters.store.references import parts, relative
from fhir_adapters.store.sql_due import SqlDueStore
from fhir_adapters.store.sql_resources import SqlResources
from pathway.due_work import DueStore
from pathway.errors import NotFound
from pathway.ports import Alert, ExplanationStore, Page, Quarantined, Query, Resource


class SqlTransaction(Interactions):
    """Implements `pathway.ports.Transaction`; what the adapters need besides stands in the attributes."""

    due: DueStore
    explanations: ExplanationStore

    def __init__(self, connection: Connection, record: HospitalRecord, now: datetime, actor: str) -> None:
        super().__init__(SqlResources(connection, record.name, record.base_url), record, now, actor)
        self.connection = connection
        self.due = self.due_rows = SqlDueStore(connection, record.name)
        self.explanations = SqlExplanationStore(connection, record.name)
        self.links = Links(connection, record.name)
        self.outbox = Outbox(connection, record.name, now)
        self.alerts = Alerts(connection, record.name, now)
        self.alert_routes = AlertRoutes(connection, record.name)
        self.feed_tokens = FeedTokens(connection, record.name, now)
        self.quarantined = QuarantineLedger(connection, record.name, now)
        self.cursors = Cursors(connection, record.name)

    def search(self, type: str, query: Query = (), *, page: str | None = None) -> Page:
        search = parse_query(type, query, self.record.base_url)
        return sql_search.run(self.connection, self.hospital, search, page)

    def of_patient(self, patient: str, types: Sequence[str]) -> Sequence[Resource]:
        return sql_search.referring(self.connection, self.hospital, types, "patient", patient)

    def ours(self, reference: str) -> str:
        inside = relative(reference, self.record.base_url)
        named = parts(inside)
        return (self.links.our_reference(*named) if named else None) or inside

    def send(self, reference: str) -> None:
        """Raises NotFound."""
        named = parts(reference)
        current = self._rows.current(*named) if named else None
        if current is None:
            raise NotFound(f"There is no {reference} to send")
        self.outbox.want(current.type, current.id, current.version)

    def sent(self, reference: str) -> bool:
        named = parts(reference)
        return named is not None and bool(self.outbox.entry(*named) or self.links.of(*named))

    def quarantine(self, entry: Quarantined) -> None:
        self.quarantined.add(entry)

    def report(self, reference: str, reason: str, problems: Mapping[str, str]) -> None:
        self.quarantined.report(reference, reason, problems)

    def settle(self, reference: str, version: str) -> None:
        self.quarantined.settle(reference, version=version)

    def excluded(self) -> frozenset[tuple[str, str]]:
        return self.quarantined.excluded()

    def alert(self, alert: Alert) -> None:
        self.alerts.add(alert)

    def retry_quarantined(self, id: str) -> QuarantineEntry:
        """Count a retry, and queue the resource again if it was put aside on its way out. Raises NotFound."""
        entry = self.quarantined.retried(id)
        named = parts(entry.reference)
        if entry.reason == OUTBOX and named:
            self.outbox.requeue(*named)
        return entry

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        with self.connection.begin_nested():
            yield

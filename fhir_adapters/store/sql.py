"""Our database: `pathway.ports.Store` on SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any

from sqlalchemy import Connection, DateTime, Engine, column, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import StaticPool

from fhir_adapters.store import feed_tokens, health, hospitals, migrate
from fhir_adapters.store.alert_routes import AlertCall
from fhir_adapters.store.alerts import AlertEntry
from fhir_adapters.store.engine import READ_ONLY
from fhir_adapters.store.feed_tokens import FeedToken
from fhir_adapters.store.hospitals import HospitalRecord, Kind, Status
from fhir_adapters.store.links import Link
from fhir_adapters.store.outbox import OutboxClaim
from fhir_adapters.store.quarantine import QuarantineEntry
from fhir_adapters.store.repository import EachCallATransaction
from fhir_adapters.store.sql_due import SqlDueStore
from fhir_adapters.store.sql_resources import SqlResources
from fhir_adapters.store.sql_transaction import SqlTransaction
from pathway.due_work import Claim
from pathway.errors import Conflict, Refused
from pathway.ports import FhirServer, HandOver

SERVICE = "service"
_DATABASE_CLOCK = text("SELECT clock_timestamp()").columns(column("clock_timestamp", DateTime(timezone=True)))


class SqlStore:
    """`clock` is the wire clock: aware, and read once per transaction; None for the database's own (PostgreSQL)."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime] | None = None) -> None:
        self.engine = engine
        self._clock = clock
        # A database in memory has one connection, which only one transaction can use. In a SQLite file one can write
        # at a time: waiting in line here is fairer and shorter than SQLite's own waiting.
        in_memory = isinstance(engine.pool, StaticPool)
        lock: AbstractContextManager[Any] = RLock() if engine.dialect.name == "sqlite" else nullcontext()
        self._writing, self._reading = lock, lock if in_memory else nullcontext()

    @contextmanager
    def transaction(self, hospital: str, *, actor: str = SERVICE, read_only: bool = False) -> Iterator[SqlTransaction]:
        """`actor` is who the audit names; a `read_only` one waits for no writer and cannot write.

        Raises NotFound for an unknown hospital, Conflict when another transaction took a key first.
        """
        with self._connection(read_only=read_only) as connection:
            record = hospitals.hospital(connection, hospital, lock=not read_only)
            yield SqlTransaction(connection, record, self._time(connection), actor)

    def repository(self, hospital: str, *, actor: str = SERVICE) -> FhirServer:
        return EachCallATransaction(
            lambda: self.transaction(hospital, actor=actor, read_only=True),
            lambda: self.transaction(hospital, actor=actor),
        )

    # Hospitals

    def register(
        self,
        name: str,
        kind: Kind,
        base_url: str,
        site: dict[str, Any] | None = None,
        *,
        clinical_time: datetime | None = None,
    ) -> HospitalRecord:
        """A new hospital, not active yet; its clinical clock starts at `clinical_time`, by default at the wire's.

        Raises Conflict when the name is taken, Refused for a real hospital with another time than the real one.
        """
        if clinical_time is not None and kind == "real":
            raise Refused(f"The clock of {name} cannot be set: it is a real hospital")
        with self._connection() as connection:
            now = self._time(connection)
            offset = clinical_time - now if clinical_time else timedelta()
            record = HospitalRecord(name, kind, base_url.rstrip("/"), now, site or {}, clinical_offset=offset)
            hospitals.register(connection, record)
        return record

    def hospitals(self) -> Sequence[HospitalRecord]:
        with self._connection(read_only=True) as connection:
            return hospitals.hospitals(connection)

    def hospital(self, name: str) -> HospitalRecord:
        """Raises NotFound."""
        with self._connection(read_only=True) as connection:
            return hospitals.hospital(connection, name)

    def set_status(self, name: str, status: Status) -> None:
        """Raises NotFound."""
        with self._connection() as connection:
            hospitals.set_status(connection, name, status)

    def set_site(self, name: str, site: dict[str, Any]) -> None:
        """Raises NotFound."""
        with self._connection() as connection:
            hospitals.set_site(connection, name, site)

    def clinical_now(self, hospital: str) -> datetime:
        """The wire clock plus the hospital's offset. Raises NotFound."""
        with self._connection(read_only=True) as connection:
            return self._time(connection) + hospitals.hospital(connection, hospital).clinical_offset

    def wire_now(self) -> datetime:
        """The wire clock, always real."""
        if self._clock is not None:
            return self._clock()
        with self._connection(read_only=True) as connection:
            return self._time(connection)

    def advance(self, hospital: str, by: timedelta) -> datetime:
        """Set the clinical clock ahead; its new time. Raises Refused for a real hospital."""
        with self._connection() as connection:
            return self._time(connection) + hospitals.advance(connection, hospital, by)

    def newest_change(self, hospital: str, type: str) -> int:
        """A number that grows with every change to a resource of a type, in any process. Raises NotFound."""
        with self._connection(read_only=True) as connection:
            record = hospitals.hospital(connection, hospital)
            return SqlResources(connection, record.name, record.base_url).newest_change(type)

    # Due work

    def claim_due(
        self,
        hospital: str,
        clinical_now: datetime,
        limit: int,
        lease: timedelta,
        hand_over: HandOver | None = None,
    ) -> Sequence[Claim]:
        # Whoever writes for the hospital is not waited for: rows that somebody else has locked are left alone.
        with self._connection() as connection:
            claims = SqlDueStore(connection, hospital).claim(clinical_now, self._time(connection), limit, lease)
            if claims and hand_over is not None:
                hand_over(connection.connection.driver_connection, hospital, claims[0].token)
            return claims

    def claimed(self, hospital: str, token: str) -> Sequence[Claim]:
        with self._connection(read_only=True) as connection:
            return SqlDueStore(connection, hospital).claimed(token)

    def held(self, hospital: str) -> int:
        with self._connection(read_only=True) as connection:
            return SqlDueStore(connection, hospital).held(self._time(connection))

    # Outbox and links

    def claim_outbox(self, hospital: str, limit: int, lease: timedelta) -> Sequence[OutboxClaim]:
        """Take entries whose time has come and which nobody holds, oldest first."""
        with self.transaction(hospital) as tx:
            return tx.outbox.claim(limit, lease)

    def finish_outbox(self, claim: OutboxClaim, link: Link) -> bool:
        """The hospital has our version `link.sent_version`, as `link` says. False: the claim was superseded."""
        with self.transaction(claim.hospital) as tx:
            return tx.outbox.finish(claim, link)

    def retry_outbox(self, claim: OutboxClaim, next_at: datetime, error: str) -> bool:
        """The hospital did not act on it: try again at `next_at` (wire clock)."""
        with self.transaction(claim.hospital) as tx:
            return tx.outbox.retry(claim, next_at, error)

    def mark_unknown(self, claim: OutboxClaim, next_at: datetime, error: str, *, failed: bool = False) -> bool:
        """The hospital may have acted on it: the next claim is `uncertain`. `failed`: it answered with an error."""
        with self.transaction(claim.hospital) as tx:
            return tx.outbox.mark_unknown(claim, next_at, error, failed=failed)

    def quarantine_outbox(self, claim: OutboxClaim, outcome: str) -> bool:
        """The hospital will never take it as it is."""
        with self.transaction(claim.hospital) as tx:
            return tx.outbox.quarantine(claim, outcome)

    def drop_outbox(self, claim: OutboxClaim) -> bool:
        """The hospital has no place for it: it stays here."""
        with self.transaction(claim.hospital) as tx:
            return tx.outbox.drop(claim)

    def requeue_outbox(self, hospital: str, type: str, id: str) -> bool:
        """Try again now; whether there was anything to try."""
        with self.transaction(hospital) as tx:
            return tx.outbox.requeue(type, id)

    def link(self, hospital: str, type: str, id: str) -> Link | None:
        with self.transaction(hospital, read_only=True) as tx:
            return tx.links.of(type, id)

    def link_by_theirs(self, hospital: str, type: str, their_id: str) -> Link | None:
        with self.transaction(hospital, read_only=True) as tx:
            return tx.links.by_theirs(type, their_id)

    def save_link(self, hospital: str, link: Link) -> None:
        with self.transaction(hospital) as tx:
            tx.links.save(link)

    # Pulling

    def cursor(self, hospital: str, type: str) -> datetime | None:
        with self.transaction(hospital, read_only=True) as tx:
            return tx.cursors.since(type)

    def save_cursor(self, hospital: str, type: str, since: datetime) -> None:
        with self.transaction(hospital) as tx:
            tx.cursors.save(type, since)

    # People

    def claim_alerts(self, hospital: str, limit: int, lease: timedelta) -> Sequence[AlertEntry]:
        """Unacknowledged alerts whose time has come."""
        with self.transaction(hospital) as tx:
            return tx.alerts.claim(limit, lease)

    def record_call(self, hospital: str, call: AlertCall) -> None:
        """What became of a call; an alert that somebody took is `sent`. Raises NotFound."""
        with self.transaction(hospital) as tx:
            tx.alert_routes.record(call)
            if call.alert and call.delivered:
                tx.alerts.sent(call.alert)

    def alert_waits(self, hospital: str, id: str, next_at: datetime) -> None:
        """Nobody has to be called about it before `next_at`. Raises NotFound."""
        with self.transaction(hospital) as tx:
            tx.alerts.wait(id, next_at)

    def acknowledge(self, hospital: str, id: str, by: str) -> AlertEntry:
        """The first to acknowledge is kept. Raises NotFound."""
        with self.transaction(hospital) as tx:
            tx.audit(by, "acknowledge", f"alert/{id}")
            return tx.alerts.acknowledge(id, by)

    def feed_of(self, token_hash: str) -> FeedToken:
        """The feed that a token opens, of whichever hospital. Raises NotFound, also when it was revoked."""
        with self._connection(read_only=True) as connection:
            return feed_tokens.opened_by(connection, token_hash)

    def quarantine_entries(self, hospital: str, *, open_only: bool = True) -> Sequence[QuarantineEntry]:
        with self.transaction(hospital, read_only=True) as tx:
            return tx.quarantined.entries(open_only=open_only)

    def resolve_quarantine(self, hospital: str, id: str, by: str) -> None:
        """Raises NotFound."""
        with self.transaction(hospital) as tx:
            tx.audit(by, "resolve", f"quarantine/{id}")
            tx.quarantined.resolve(id)

    def retry_quarantine(self, hospital: str, id: str, by: str) -> QuarantineEntry:
        """Count a retry; an outbox entry is queued again here, anything else is for the caller to try."""
        with self.transaction(hospital) as tx:
            tx.audit(by, "retry", f"quarantine/{id}")
            return tx.retry_quarantined(id)

    # Health

    def heartbeat(self, name: str, note: str = "", longest: timedelta | None = None, *, well: bool = True) -> None:
        """A sign of life; `well`: it did what it should. A gap of more than `longest` in those of `<hospital>.<duty>`
        is kept as a downtime."""
        with self._connection() as connection:
            now = self._time(connection)
            if longest is not None:
                health.notice(connection, name, now, longest)
            health.beat(connection, name, now, note, well=well)

    def downtimes(self, hospital: str, since: datetime | None = None) -> Sequence[health.Downtime]:
        """Those that ended at `since` (wire clock) or later, newest first. Raises NotFound."""
        with self.transaction(hospital, read_only=True) as tx:
            return health.downtimes(tx.connection, hospital, since)

    def heartbeats(self) -> Sequence[health.Heartbeat]:
        with self._connection(read_only=True) as connection:
            return health.heartbeats(connection)

    def schema(self) -> str | None:
        """The schema revision the database is at; None before the first."""
        with self._connection(read_only=True) as connection:
            return migrate.revision(connection)

    def queues(self, hospital: str) -> health.Queues:
        with self.transaction(hospital, read_only=True) as tx:
            return health.queues(tx.connection, hospital)

    def counts(self, hospital: str) -> health.Counts:
        with self.transaction(hospital, read_only=True) as tx:
            return health.counts(tx.connection, hospital)

    def _time(self, connection: Connection) -> datetime:
        """Not the transaction's beginning: whoever waited for another writer comes after it."""
        if self._clock is not None:
            return self._clock()
        now: datetime = connection.execute(_DATABASE_CLOCK).scalar_one()
        return now.astimezone(UTC)

    @contextmanager
    def _connection(self, *, read_only: bool = False) -> Iterator[Connection]:
        turn = self._reading if read_only else self._writing
        options = {READ_ONLY: read_only, "postgresql_readonly": read_only}
        with turn, self.engine.connect().execution_options(**options) as connection:
            try:
                with connection.begin():
                    yield connection
            except IntegrityError as error:
                raise Conflict("Another change took the same key first") from error

"""Every table of the service. Each key begins with the hospital; every datetime is aware and UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, MetaData, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from fhir_adapters.store.times import UtcDateTime

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
_OPEN = text("state IN ('scheduled', 'claimed')")


class Base(SQLModel):
    metadata = METADATA


def _at(**options: Any) -> Any:
    return Field(sa_type=UtcDateTime, **options)


def _text(**options: Any) -> Any:
    return Field(sa_type=Text, **options)


def _hospital(*, key: bool = True) -> Any:
    return Field(primary_key=key, foreign_key="hospital.name")


def _part_of_key() -> Any:
    return Field(primary_key=True)


class HospitalRow(Base, table=True):
    """A registered hospital; `clinical_offset_seconds` is what its clinical clock is ahead of the wire clock."""

    __tablename__ = "hospital"
    name: str = _part_of_key()
    kind: str
    base_url: str
    site: str = _text()
    status: str
    clinical_offset_seconds: float = 0
    registered_at: datetime = _at()


class ResourceRow(Base, table=True):
    """The current version of each resource."""

    __tablename__ = "resource"
    __table_args__ = (Index(None, "hospital", "type", "seq"),)
    hospital: str = _hospital()
    type: str = _part_of_key()
    id: str = _part_of_key()
    version: int
    seq: int
    last_updated: datetime = _at()
    content: str = _text()
    deleted: bool = False


class ResourceVersionRow(Base, table=True):
    """Every version of every resource, in the order of writing."""

    __tablename__ = "resource_version"
    __table_args__ = (
        UniqueConstraint("hospital", "type", "id", "version"),
        Index(None, "hospital", "seq"),
        {"sqlite_autoincrement": True},
    )
    seq: int | None = Field(default=None, primary_key=True)
    hospital: str = _hospital(key=False)
    type: str
    id: str
    version: int
    last_updated: datetime = _at()
    content: str = _text()
    deleted: bool = False
    source: str


class SearchValueRow(Base, table=True):
    """What current resources can be found by, as `indexing.py` makes it; `low` (inclusive) and `high` UTC text."""

    __tablename__ = "search_value"
    __table_args__ = (
        ForeignKeyConstraint(["hospital", "type", "id"], ["resource.hospital", "resource.type", "resource.id"]),
        Index(
            "ix_search_value_value",
            *("hospital", "type", "param", "value", "system", "id"),
            sqlite_where=text("kind <> 'date'"),
            postgresql_where=text("kind <> 'date'"),
        ),
        Index(
            "ix_search_value_date",
            *("hospital", "type", "param", "low", "high", "id"),
            sqlite_where=text("kind = 'date'"),
            postgresql_where=text("kind = 'date'"),
        ),
    )
    hospital: str = _part_of_key()
    type: str = _part_of_key()
    id: str = _part_of_key()
    position: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    param: str
    kind: str
    system: str
    value: str
    low: str
    high: str


class IdentityRow(Base, table=True):
    """The one resource of its type that carries a business key of ours."""

    __tablename__ = "identity"
    __table_args__ = (Index(None, "hospital", "type", "id"),)
    hospital: str = _hospital()
    type: str = _part_of_key()
    system: str = _part_of_key()
    value: str = _part_of_key()
    id: str


class LinkRow(Base, table=True):
    """Our resource and the hospital's copy of it; `base` is the copy as both sides last agreed on it (JSON)."""

    __tablename__ = "link"
    __table_args__ = (UniqueConstraint("hospital", "type", "their_id"),)
    hospital: str = _hospital()
    type: str = _part_of_key()
    id: str = _part_of_key()
    their_id: str
    their_version: str | None = None
    base: str = _text()
    sent_version: int


class OutboxRow(Base, table=True):
    """Which version of a resource of ours the hospital should have."""

    __tablename__ = "outbox"
    __table_args__ = (Index(None, "hospital", "state", "next_at"),)
    hospital: str = _hospital()
    type: str = _part_of_key()
    id: str = _part_of_key()
    wanted_version: int
    state: str
    attempt: int = 0
    failures: int = 0
    next_at: datetime = _at()
    lease_until: datetime | None = _at(default=None)
    token: str | None = None
    last_error: str | None = _text(default=None)
    queued_at: datetime = _at()


class ReceivedRow(Base, table=True):
    """What was last received of each resource of a hospital, so that the same content is not taken twice."""

    __tablename__ = "received"
    hospital: str = _hospital()
    type: str = _part_of_key()
    id: str = _part_of_key()
    their_version: str | None = None
    hash: str


class CursorRow(Base, table=True):
    """Up to when a hospital's resources of a type were pulled."""

    __tablename__ = "cursor"
    hospital: str = _hospital()
    type: str = _part_of_key()
    since: datetime = _at()


class DueRow(Base, table=True):
    """Due work, never deleted. `next_at` is `due_at`, or later after a retry; both are on the clinical clock."""

    __tablename__ = "due"
    __table_args__ = (
        Index("ix_due_open", "hospital", "next_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index(None, "hospital", "care_plan"),
    )
    hospital: str = _hospital()
    key: str = _part_of_key()
    kind: str
    due_at: datetime = _at()
    next_at: datetime = _at()
    wall_time: str
    zone: str
    care_plan: str
    action: str
    why: str = _text()
    window_low: str | None = None
    window_high: str | None = None
    expires_at: datetime | None = _at(default=None)
    generation: int = 1
    state: str
    attempt: int = 0
    last_error: str | None = _text(default=None)
    payload: str = _text()
    lease_until: datetime | None = _at(default=None)
    token: str | None = None


class ExplanationRow(Base, table=True):
    """Why a CarePlan was as it was from its `version` on; `body` is compressed JSON."""

    __tablename__ = "explanation"
    hospital: str = _hospital()
    care_plan: str = _part_of_key()
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    version: int
    recorded: datetime = _at()
    clinical: datetime = _at()
    cause: str = _text()
    author: str = ""
    body: bytes


class QuarantineRow(Base, table=True):
    """An input nobody could act on yet; no reference or version is the empty string."""

    __tablename__ = "quarantine"
    __table_args__ = (UniqueConstraint("hospital", "reference", "version", "reason"),)
    hospital: str = _hospital()
    id: str = _part_of_key()
    reason: str
    explanation: str = _text()
    reference: str = ""
    version: str = ""
    state: str = "open"
    at: datetime = _at()
    retries: int = 0


class AlertRow(Base, table=True):
    """A call to a person, repeated at `next_at` until it is acknowledged."""

    __tablename__ = "alert"
    __table_args__ = (UniqueConstraint("hospital", "task"), Index(None, "hospital", "state", "next_at"))
    hospital: str = _hospital()
    id: str = _part_of_key()
    code: str
    priority: str
    task: str
    state: str = "waiting"
    attempt: int = 0
    raised_at: datetime = _at()
    next_at: datetime = _at()
    sent_at: datetime | None = _at(default=None)
    acknowledged_at: datetime | None = _at(default=None)
    acknowledged_by: str | None = None


class AlertCallRow(Base, table=True):
    """Every attempt to call somebody, in the order of writing; `alert` is empty for a test. Routes, no addresses."""

    __tablename__ = "alert_call"
    __table_args__ = (
        Index(None, "hospital", "alert"),
        Index(None, "hospital", "route"),
        {"sqlite_autoincrement": True},
    )
    seq: int | None = Field(default=None, primary_key=True)
    hospital: str = _hospital(key=False)
    alert: str
    route: str
    step: str
    at: datetime = _at()
    delivered: bool
    outcome: str = _text()


class AlertRouteRow(Base, table=True):
    """Whether a person confirmed that calls by this route arrive; the code of the newest test only as a hash."""

    __tablename__ = "alert_route"
    hospital: str = _hospital()
    route: str = _part_of_key()
    code_hash: str | None = None
    code_expires_at: datetime | None = _at(default=None)
    wrong_codes: int = 0
    confirmed_at: datetime | None = _at(default=None)


class AuditRow(Base, table=True):
    """Who changed what, in the order of writing."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "hospital", "reference"), {"sqlite_autoincrement": True})
    seq: int | None = Field(default=None, primary_key=True)
    hospital: str = _hospital(key=False)
    at: datetime = _at()
    actor: str
    action: str
    reference: str
    version: str | None = None


class HeartbeatRow(Base, table=True):
    """When a part of the service was last alive."""

    __tablename__ = "heartbeat"
    name: str = _part_of_key()
    at: datetime = _at()
    note: str = _text()

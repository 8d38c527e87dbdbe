"""Every table of the service. Each key begins with the hospital; every datetime is aware and UTC."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from fhir_adapters.store.table import METADATA, Base, key_part, long_text, moment, of_hospital

__all__ = ["METADATA"]

_OPEN = text("state IN ('scheduled', 'claimed')")


class HospitalRow(Base, table=True):
    """A registered hospital; `clinical_offset_seconds` is what its clinical clock is ahead of the wire clock."""

    __tablename__ = "hospital"
    name: str = key_part()
    kind: str
    base_url: str
    site: str = long_text()
    status: str
    clinical_offset_seconds: float = 0
    registered_at: datetime = moment()


class ResourceRow(Base, table=True):
    """The current version of each resource."""

    __tablename__ = "resource"
    __table_args__ = (Index(None, "hospital", "type", "seq"),)
    hospital: str = of_hospital()
    type: str = key_part()
    id: str = key_part()
    version: int
    seq: int
    last_updated: datetime = moment()
    content: str = long_text()
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
    hospital: str = of_hospital(key=False)
    type: str
    id: str
    version: int
    last_updated: datetime = moment()
    content: str = long_text()
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
    hospital: str = key_part()
    type: str = key_part()
    id: str = key_part()
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
    hospital: str = of_hospital()
    type: str = key_part()
    system: str = key_part()
    value: str = key_part()
    id: str


class LinkRow(Base, table=True):
    """Our resource and the hospital's copy of it; `base` is the copy as both sides last agreed on it (JSON)."""

    __tablename__ = "link"
    __table_args__ = (UniqueConstraint("hospital", "type", "their_id"),)
    hospital: str = of_hospital()
    type: str = key_part()
    id: str = key_part()
    their_id: str
    their_version: str | None = None
    base: str = long_text()
    sent_version: int


class OutboxRow(Base, table=True):
    """Which version of a resource of ours the hospital should have."""

    __tablename__ = "outbox"
    __table_args__ = (Index(None, "hospital", "state", "next_at"),)
    hospital: str = of_hospital()
    type: str = key_part()
    id: str = key_part()
    wanted_version: int
    state: str
    attempt: int = 0
    failures: int = 0
    next_at: datetime = moment()
    lease_until: datetime | None = moment(default=None)
    token: str | None = None
    last_error: str | None = long_text(default=None)
    queued_at: datetime = moment()


class ReceivedRow(Base, table=True):
    """What was last received of each resource of a hospital, so that the same content is not taken twice."""

    __tablename__ = "received"
    hospital: str = of_hospital()
    type: str = key_part()
    id: str = key_part()
    their_version: str | None = None
    hash: str


class CursorRow(Base, table=True):
    """Up to when a hospital's resources of a type were pulled."""

    __tablename__ = "cursor"
    hospital: str = of_hospital()
    type: str = key_part()
    since: datetime = moment()


class DueRow(Base, table=True):
    """Due work, never deleted. `next_at` is `due_at`, or later after a retry; both are on the clinical clock."""

    __tablename__ = "due"
    __table_args__ = (
        Index("ix_due_open", "hospital", "next_at", "key", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index(None, "hospital", "care_plan"),
    )
    hospital: str = of_hospital()
    key: str = key_part()
    kind: str
    due_at: datetime = moment()
    next_at: datetime = moment()
    wall_time: str
    zone: str
    care_plan: str
    action: str
    why: str = long_text()
    window_low: str | None = None
    window_high: str | None = None
    expires_at: datetime | None = moment(default=None)
    generation: int = 1
    state: str
    attempt: int = 0
    last_error: str | None = long_text(default=None)
    payload: str = long_text()
    lease_until: datetime | None = moment(default=None)
    token: str | None = None
    released_at: datetime | None = moment(default=None)


class ExplanationRow(Base, table=True):
    """Why a CarePlan was as it was from its `version` on; `body` is compressed JSON."""

    __tablename__ = "explanation"
    hospital: str = of_hospital()
    care_plan: str = key_part()
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    version: int
    recorded: datetime = moment()
    clinical: datetime = moment()
    cause: str = long_text()
    author: str = ""
    body: bytes


class QuarantineRow(Base, table=True):
    """An input nobody could act on yet; no reference or version is the empty string."""

    __tablename__ = "quarantine"
    __table_args__ = (UniqueConstraint("hospital", "reference", "version", "reason"),)
    hospital: str = of_hospital()
    id: str = key_part()
    reason: str
    explanation: str = long_text()
    reference: str = ""
    version: str = ""
    state: str = "open"
    at: datetime = moment()
    retries: int = 0


class AlertRow(Base, table=True):
    """A call to a person, repeated at `next_at` until it is acknowledged."""

    __tablename__ = "alert"
    __table_args__ = (UniqueConstraint("hospital", "task"), Index(None, "hospital", "state", "next_at"))
    hospital: str = of_hospital()
    id: str = key_part()
    code: str
    priority: str
    task: str
    state: str = "waiting"
    attempt: int = 0
    raised_at: datetime = moment()
    next_at: datetime = moment()
    sent_at: datetime | None = moment(default=None)
    acknowledged_at: datetime | None = moment(default=None)
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
    hospital: str = of_hospital(key=False)
    alert: str
    route: str
    step: str
    at: datetime = moment()
    delivered: bool
    outcome: str = long_text()


class AlertRouteRow(Base, table=True):
    """Whether a person confirmed that calls by this route arrive; the code of the newest test only as a hash."""

    __tablename__ = "alert_route"
    hospital: str = of_hospital()
    route: str = key_part()
    code_hash: str | None = None
    code_expires_at: datetime | None = moment(default=None)
    wrong_codes: int = 0
    confirmed_at: datetime | None = moment(default=None)


class FeedTokenRow(Base, table=True):
    """Who may read which visits as a calendar, by a secret address of which only a hash is kept."""

    __tablename__ = "feed_token"
    __table_args__ = (UniqueConstraint("token_hash"),)
    hospital: str = of_hospital()
    id: str = key_part()
    label: str
    scope: str
    token_hash: str
    created_at: datetime = moment()
    created_by: str
    revoked_at: datetime | None = moment(default=None)
    revoked_by: str | None = None
    last_used_at: datetime | None = moment(default=None)


class AuditRow(Base, table=True):
    """Who changed what, in the order of writing."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "hospital", "reference"), {"sqlite_autoincrement": True})
    seq: int | None = Field(default=None, primary_key=True)
    hospital: str = of_hospital(key=False)
    at: datetime = moment()
    actor: str
    action: str
    reference: str
    version: str | None = None


class DowntimeRow(Base, table=True):
    """A time in which a duty of a hospital gave no sign of life, by the wire clock and by the clinical one."""

    __tablename__ = "downtime"
    __table_args__ = (Index(None, "hospital", "ended"), {"sqlite_autoincrement": True})
    seq: int | None = Field(default=None, primary_key=True)
    hospital: str = of_hospital(key=False)
    duty: str
    began: datetime = moment()
    ended: datetime = moment()
    clinical_began: datetime = moment()
    clinical_ended: datetime = moment()


class HeartbeatRow(Base, table=True):
    """When a part of the service was last alive, and when it last did what it should."""

    __tablename__ = "heartbeat"
    name: str = key_part()
    at: datetime = moment()
    well_at: datetime | None = moment(default=None)
    note: str = long_text()

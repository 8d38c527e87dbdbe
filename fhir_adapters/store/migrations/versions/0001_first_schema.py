"""The first schema"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_OPEN = "state IN ('scheduled', 'claimed')"
_TABLES = "hospital resource resource_version search_value identity link outbox received cursor due quarantine alert"


def upgrade() -> None:
    op.create_table(
        "hospital",
        *(_string("name"), _string("kind"), _string("base_url"), _text("site"), _string("status")),
        *(sa.Column("clinical_offset_seconds", sa.Float(), nullable=False), _time("registered_at")),
        sa.PrimaryKeyConstraint("name", name="pk_hospital"),
    )
    op.create_table(
        "heartbeat", _string("name"), _time("at"), _text("note"), sa.PrimaryKeyConstraint("name", name="pk_heartbeat")
    )
    _create_resources()
    _create_search()
    _create_exchange()
    _create_due()
    _create_attention()


def downgrade() -> None:
    for name in reversed([*_TABLES.split(), "audit", "heartbeat"]):
        op.drop_table(name)


def _create_resources() -> None:
    _of_hospital("resource", "type", "id", columns=[*_version(), _integer("seq")])
    _index("resource", "hospital", "type", "seq")
    _sequence("resource_version", *_version(), _string("source"), unique=("type", "id", "version"))
    _index("resource_version", "hospital", "seq")
    action = [_string("actor"), _string("action"), _string("reference"), _string("version", nullable=True)]
    _sequence("audit", _time("at"), *action)
    _index("audit", "hospital", "reference")


def _create_search() -> None:
    names = ("hospital", "type", "id", "param", "kind", "system", "value", "low", "high")
    op.create_table(
        "search_value",
        *(*(_string(name) for name in names), sa.Column("position", sa.Integer(), nullable=False, autoincrement=False)),
        sa.PrimaryKeyConstraint("hospital", "type", "id", "position", name="pk_search_value"),
        sa.ForeignKeyConstraint(
            ["hospital", "type", "id"],
            ["resource.hospital", "resource.type", "resource.id"],
            name="fk_search_value_hospital_type_id",
        ),
    )
    found = ["hospital", "type", "param"]
    _partial("ix_search_value_value", "search_value", [*found, "value", "system", "id"], "kind <> 'date'")
    _partial("ix_search_value_date", "search_value", [*found, "low", "high", "id"], "kind = 'date'")
    key = [_string(name) for name in ("type", "system", "value", "id")]
    _of_hospital("identity", "type", "system", "value", columns=key)
    _index("identity", "hospital", "type", "id")


def _create_exchange() -> None:
    link = [_string("their_id"), _string("their_version", nullable=True), _text("base"), _integer("sent_version")]
    _of_hospital("link", "type", "id", columns=[*_resource(), *link], unique=("type", "their_id"))
    received = [_string("their_version", nullable=True), _string("hash")]
    _of_hospital("received", "type", "id", columns=[*_resource(), *received])
    _of_hospital("cursor", "type", columns=[_string("type"), _time("since")])
    numbers = [_integer("wanted_version"), _integer("attempt"), _integer("failures")]
    wanted = [*numbers, _string("state"), _time("next_at"), _time("queued_at")]
    _of_hospital("outbox", "type", "id", columns=[*_resource(), *wanted, *_lease(), _text("last_error", nullable=True)])
    _index("outbox", "hospital", "state", "next_at")


def _create_due() -> None:
    meant = [_string(name) for name in ("key", "kind", "wall_time", "zone", "care_plan", "action", "state")]
    window = [_string("window_low", nullable=True), _string("window_high", nullable=True)]
    times = [_time("due_at"), _time("next_at"), _time("expires_at", nullable=True)]
    numbers = [_integer("generation"), _integer("attempt")]
    texts = [_text("why"), _text("payload"), _text("last_error", nullable=True)]
    _of_hospital("due", "key", columns=[*meant, *window, *times, *numbers, *texts, *_lease()])
    _partial("ix_due_open", "due", ["hospital", "next_at"], _OPEN)
    _index("due", "hospital", "care_plan")


def _create_attention() -> None:
    kept = [_string(name) for name in ("id", "reason", "reference", "version", "state")]
    rest = [_text("explanation"), _time("at"), _integer("retries")]
    _of_hospital("quarantine", "id", columns=[*kept, *rest], unique=("reference", "version", "reason"))
    called = [_string(name) for name in ("id", "code", "priority", "task", "state")]
    times = [_time("next_at"), _time("sent_at", nullable=True), _time("acknowledged_at", nullable=True)]
    by = _string("acknowledged_by", nullable=True)
    _of_hospital("alert", "id", columns=[*called, *times, _integer("attempt"), by], unique=("task",))
    _index("alert", "hospital", "state", "next_at")


def _of_hospital(name: str, *key: str, columns: list[sa.Column[Any]], unique: tuple[str, ...] = ()) -> None:
    rules = [_fk(name), sa.PrimaryKeyConstraint("hospital", *key, name=f"pk_{name}"), *_unique(name, unique)]
    op.create_table(name, _string("hospital"), *columns, *rules)


def _sequence(name: str, *columns: sa.Column[Any], unique: tuple[str, ...] = ()) -> None:
    rules = [_fk(name), sa.PrimaryKeyConstraint("seq", name=f"pk_{name}"), *_unique(name, unique)]
    op.create_table(name, _integer("seq"), _string("hospital"), *columns, *rules, sqlite_autoincrement=True)


def _fk(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["hospital"], ["hospital.name"], name=f"fk_{table}_hospital")


def _unique(table: str, columns: tuple[str, ...]) -> list[sa.UniqueConstraint]:
    name = "_".join(("uq", table, "hospital", *columns))
    return [sa.UniqueConstraint("hospital", *columns, name=name)] if columns else []


def _index(table: str, *columns: str) -> None:
    op.create_index("_".join(("ix", table, *columns)), table, list(columns))


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _resource() -> list[sa.Column[Any]]:
    return [_string("type"), _string("id")]


def _version() -> list[sa.Column[Any]]:
    deleted: sa.Column[Any] = sa.Column("deleted", sa.Boolean(), nullable=False)
    return [*_resource(), _integer("version"), _time("last_updated"), _text("content"), deleted]


def _lease() -> list[sa.Column[Any]]:
    return [_time("lease_until", nullable=True), _string("token", nullable=True)]


def _string(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _integer(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _time(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(27), nullable=nullable)

"""Alerts climb a ladder: every call is recorded, and routes are confirmed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # An alert from before counts from when it was last seen: its first step is called again at once.
    op.add_column("alert", sa.Column("raised_at", sa.String(27), nullable=True))
    op.execute("UPDATE alert SET raised_at = COALESCE(sent_at, next_at)")
    with op.batch_alter_table("alert") as batch:
        batch.alter_column("raised_at", existing_type=sa.String(27), nullable=False)
    op.create_table(
        "alert_call",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hospital", sa.String(), nullable=False),
        sa.Column("alert", sa.String(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("delivered", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["hospital"], ["hospital.name"], name="fk_alert_call_hospital"),
        sa.PrimaryKeyConstraint("seq", name="pk_alert_call"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alert_call_hospital_alert", "alert_call", ["hospital", "alert"])
    op.create_index("ix_alert_call_hospital_route", "alert_call", ["hospital", "route"])
    op.create_table(
        "alert_route",
        sa.Column("hospital", sa.String(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("code_hash", sa.String(), nullable=True),
        sa.Column("code_expires_at", sa.String(27), nullable=True),
        sa.Column("wrong_codes", sa.Integer(), nullable=False),
        sa.Column("confirmed_at", sa.String(27), nullable=True),
        sa.ForeignKeyConstraint(["hospital"], ["hospital.name"], name="fk_alert_route_hospital"),
        sa.PrimaryKeyConstraint("hospital", "route", name="pk_alert_route"),
    )


def downgrade() -> None:
    op.drop_table("alert_route")
    op.drop_table("alert_call")
    with op.batch_alter_table("alert") as batch:
        batch.drop_column("raised_at")

"""Calendar feeds: their tokens, and when each duty last went well"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("heartbeat", sa.Column("well_at", sa.String(27), nullable=True))
    op.create_table(
        "feed_token",
        sa.Column("hospital", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("revoked_at", sa.String(27), nullable=True),
        sa.Column("revoked_by", sa.String(), nullable=True),
        sa.Column("last_used_at", sa.String(27), nullable=True),
        sa.ForeignKeyConstraint(["hospital"], ["hospital.name"], name="fk_feed_token_hospital"),
        sa.PrimaryKeyConstraint("hospital", "id", name="pk_feed_token"),
        sa.UniqueConstraint("token_hash", name="uq_feed_token_token_hash"),
    )


def downgrade() -> None:
    op.drop_table("feed_token")
    with op.batch_alter_table("heartbeat") as batch:
        batch.drop_column("well_at")

"""Times without a sign of life are kept, and due work says when it was looked at"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("due", sa.Column("released_at", sa.String(27), nullable=True))
    op.create_table(
        "downtime",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hospital", sa.String(), nullable=False),
        sa.Column("duty", sa.String(), nullable=False),
        sa.Column("began", sa.String(27), nullable=False),
        sa.Column("ended", sa.String(27), nullable=False),
        sa.Column("clinical_began", sa.String(27), nullable=False),
        sa.Column("clinical_ended", sa.String(27), nullable=False),
        sa.ForeignKeyConstraint(["hospital"], ["hospital.name"], name="fk_downtime_hospital"),
        sa.PrimaryKeyConstraint("seq", name="pk_downtime"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_downtime_hospital_ended", "downtime", ["hospital", "ended"])


def downgrade() -> None:
    op.drop_table("downtime")
    with op.batch_alter_table("due") as batch:
        batch.drop_column("released_at")

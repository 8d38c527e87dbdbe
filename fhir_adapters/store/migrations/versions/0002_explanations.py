"""Explanations are kept with the plan"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "explanation",
        sa.Column("hospital", sa.String(), nullable=False),
        sa.Column("care_plan", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded", sa.String(27), nullable=False),
        sa.Column("clinical", sa.String(27), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["hospital"], ["hospital.name"], name="fk_explanation_hospital"),
        sa.PrimaryKeyConstraint("hospital", "care_plan", "number", name="pk_explanation"),
    )


def downgrade() -> None:
    op.drop_table("explanation")

"""Open due work is read from its index in the order in which it is claimed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_OPEN = sa.text("state IN ('scheduled', 'claimed')")


def upgrade() -> None:
    _index_of(["hospital", "next_at", "key"])


def downgrade() -> None:
    _index_of(["hospital", "next_at"])


def _index_of(columns: list[str]) -> None:
    op.drop_index("ix_due_open", "due")
    op.create_index("ix_due_open", "due", columns, sqlite_where=_OPEN, postgresql_where=_OPEN)

"""What the last check of each part's photos found, and which parts wait for one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Id, Moment

revision = "photo_checks"
down_revision = "ledger"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("parts", sa.Column("check_due_at", Moment(), nullable=True))
    waits = sa.text("check_due_at IS NOT NULL")
    op.create_index(
        "ix_parts_check_due_at", "parts", ["check_due_at"], sqlite_where=waits, postgresql_where=waits
    )
    op.create_table(
        "photo_checks",
        sa.Column("part_id", Id(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("checked_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"]),
        sa.PrimaryKeyConstraint("part_id"),
    )


def downgrade() -> None:
    op.drop_table("photo_checks")
    op.drop_index("ix_parts_check_due_at", "parts")
    op.drop_column("parts", "check_due_at")

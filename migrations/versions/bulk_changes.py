"""What was done to many parts at once, so that it can be undone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Id, Moment

revision = "bulk_changes"
down_revision = "list_filters"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bulk_changes",
        sa.Column("id", Id(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("made_by", Id(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("undone_at", Moment(), nullable=True),
        sa.CheckConstraint(
            "action IN ('publish', 'unpublish', 'category', 'delete')", name="bulk_changes_action"
        ),
        sa.ForeignKeyConstraint(["made_by"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("bulk_changes")

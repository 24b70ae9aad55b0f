"""The log: who changed what, from what to what."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Id, Moment

revision = "change_log"
down_revision = "user_language"
branch_labels = None
depends_on = None

KINDS = "'part', 'photo', 'model', 'job', 'category', 'account', 'token', 'setting'"
ACTIONS = "'created', 'changed', 'deleted', 'restored'"


def upgrade() -> None:
    op.create_table(
        "log_entries",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("part_id", Id(), nullable=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.CheckConstraint(f"kind IN ({KINDS})", name="log_entries_kind"),
        sa.CheckConstraint(f"action IN ({ACTIONS})", name="log_entries_action"),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_log_entries_at", "log_entries", ["at"])
    op.create_index("ix_log_entries_part_id", "log_entries", ["part_id"])
    op.create_index("ix_log_entries_actor", "log_entries", ["actor"])


def downgrade() -> None:
    op.drop_table("log_entries")

"""Notices, where they are sent to, and what each person chose."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Id, Moment

revision = "notices"
down_revision = "light_files"
branch_labels = None
depends_on = None

KINDS = "'failed', 'review', 'balance', 'budget', 'poller'"
ALL = "failed review balance budget poller"


def upgrade() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("job_id", Id(), nullable=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.CheckConstraint(f"kind IN ({KINDS})", name="notices_kind"),
        sa.ForeignKeyConstraint(["job_id"], ["model_generation_jobs.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_notices_at", "notices", ["at"])
    op.create_table(
        "notice_outlets",
        sa.Column("name", sa.String(length=36), nullable=False),
        sa.Column("sent_id", sa.Integer(), nullable=False),
        sa.Column("next_at", Moment(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    for name, default in (("app_notices", ALL), ("mailed_notices", "")):
        op.add_column("users", sa.Column(name, sa.String(length=80), server_default=default, nullable=False))
    op.add_column("users", sa.Column("notices_seen", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    for name in ("notices_seen", "mailed_notices", "app_notices"):
        op.drop_column("users", name)
    op.drop_table("notice_outlets")
    op.drop_table("notices")

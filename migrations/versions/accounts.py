"""Engine accounts: why nothing is submitted to one for now, and its balance."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Moment

revision = "accounts"
down_revision = "stray_tasks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "engine_accounts",
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("engine", sa.String(16), nullable=False),
        sa.Column("pause", sa.String(16), nullable=True),
        sa.Column("paused_at", Moment(), nullable=True),
        sa.Column("look_at", Moment(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("balance", sa.Integer(), nullable=True),
        sa.Column("balance_at", Moment(), nullable=True),
        sa.CheckConstraint(
            "pause IN ('key', 'credits', 'plan', 'address', 'full', 'rate')", name="engine_accounts_pause"
        ),
        sa.PrimaryKeyConstraint("fingerprint"),
    )


def downgrade() -> None:
    op.drop_table("engine_accounts")

"""A stamp that is new after every change of what customers may see, for ETags."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Moment

revision = "content_stamp"
down_revision = "size_confirmed"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "content_stamp",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("stamp", sa.String(36), nullable=False),
        sa.Column("changed_at", Moment, nullable=False),
        sa.CheckConstraint("id = 1", name="content_stamp_id"),
    )


def downgrade() -> None:
    op.drop_table("content_stamp")

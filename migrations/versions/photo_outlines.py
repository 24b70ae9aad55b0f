"""The part's outline in each photo, by the photo's content and the method that found it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Id, Moment

revision = "photo_outlines"
down_revision = "sessions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "photo_outlines",
        sa.Column("id", Id(), nullable=False),
        sa.Column("part_id", Id(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("method", sa.String(length=64), nullable=False),
        sa.Column("storage_path", sa.Text()),
        sa.Column("refusal", sa.String(length=32)),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("part_id", "sha256", "method", name="ux_photo_outlines_part_id_sha256_method"),
    )


def downgrade() -> None:
    op.drop_table("photo_outlines")

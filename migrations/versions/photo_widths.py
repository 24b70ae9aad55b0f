"""The widths in which a photo is kept as WebP; null until the poller has made them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "photo_widths"
down_revision = "imports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("part_images", sa.Column("webp_widths", sa.JSON(), nullable=True))
    missing = sa.text("webp_widths IS NULL")
    op.create_index(
        "ix_part_images_without_webp", "part_images", ["id"], sqlite_where=missing, postgresql_where=missing
    )


def downgrade() -> None:
    op.drop_index("ix_part_images_without_webp", "part_images")
    op.drop_column("part_images", "webp_widths")

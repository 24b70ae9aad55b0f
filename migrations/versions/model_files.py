"""Models in further formats, and whether customers may download them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Id, Moment

revision = "model_files"
down_revision = "bulk_changes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "model_files",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version_id", Id(), nullable=False),
        sa.Column("part_id", Id(), nullable=False),
        sa.Column("format", sa.String(length=8), nullable=False),
        sa.Column("storage_path", sa.Text(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("file_size_bytes", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.CheckConstraint("format IN ('stl', 'usdz')", name="model_files_format"),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"]),
        sa.ForeignKeyConstraint(["version_id"], ["model_versions.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("version_id", "format", name="ux_model_files_version_id_format"),
    )
    op.create_index("ix_model_files_part_id", "model_files", ["part_id"])
    op.create_table(
        "shop_options",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("offers_downloads", sa.Boolean(), nullable=False),
        sa.CheckConstraint("id = 1", name="shop_options_id"),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("shop_options")
    op.drop_table("model_files")

"""Photos cut out on white, and which of the two pictures customers see."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Id, Moment

revision = "clean_photos"
down_revision = "shown_later"
branch_labels = None
depends_on = None

_IS_KNOWN = "background IN ('taken', 'white')"


def upgrade() -> None:
    op.create_table(
        "clean_photos",
        sa.Column("id", Id(), nullable=False),
        sa.Column("part_id", Id(), nullable=False),
        sa.Column("made_of", sa.String(64), nullable=False),
        sa.Column("storage_path", sa.Text(), nullable=True),
        sa.Column("thumbnail_path", sa.Text(), nullable=True),
        sa.Column("webp_widths", sa.JSON(), nullable=True),
        sa.Column("side_px", sa.Integer(), nullable=True),
        sa.Column("is_ordered", sa.Boolean(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("part_id", "made_of", name="ux_clean_photos_part_id_made_of"),
    )
    # In one statement each, which SQLite takes without building the table again.
    kind = Id().compile(dialect=op.get_bind().dialect)
    op.execute(f"ALTER TABLE part_images ADD COLUMN clean_id {kind} REFERENCES clean_photos (id)")
    op.execute(
        "ALTER TABLE part_images ADD COLUMN background VARCHAR(8) "
        f"CONSTRAINT part_images_background CHECK ({_IS_KNOWN})"
    )
    op.create_index(
        "ix_part_images_without_clean",
        "part_images",
        ["id"],
        sqlite_where=sa.text("clean_id IS NULL"),
        postgresql_where=sa.text("clean_id IS NULL"),
    )
    op.add_column("shop_options", sa.Column("photo_background", sa.String(8), nullable=True))


def downgrade() -> None:
    op.drop_column("shop_options", "photo_background")
    op.drop_index("ix_part_images_without_clean", "part_images")
    with op.batch_alter_table("part_images") as photos:
        photos.drop_constraint("part_images_background", type_="check")
        photos.drop_column("background")
        photos.drop_column("clean_id")
    op.drop_table("clean_photos")

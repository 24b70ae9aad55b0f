"""Photos in imports, and the categories that an import made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Id

revision = "import_photos"
down_revision = "model_files"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("imports") as imports:
        imports.alter_column("storage_path", existing_type=sa.Text(), nullable=True)
        imports.alter_column("sha256", existing_type=sa.String(length=64), nullable=True)
        imports.add_column(sa.Column("photos_path", sa.Text()))
        imports.add_column(sa.Column("photo_choices", sa.JSON(), nullable=False, server_default="{}"))
        imports.add_column(sa.Column("photo_count", sa.Integer()))
        imports.add_column(sa.Column("photos_done", sa.Integer(), nullable=False, server_default="0"))
        imports.add_column(sa.Column("photo_counts", sa.JSON(), nullable=False, server_default="{}"))
        imports.add_column(sa.Column("made_categories", sa.JSON(), nullable=False, server_default="[]"))
    op.create_table(
        "import_photos",
        sa.Column("import_id", Id(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("fits", sa.JSON(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("says", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("image_id", Id()),
        sa.Column("angle_label", sa.String(length=16)),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("not_undone", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "action IN ('added', 'present', 'unclear', 'refused')", name="import_photos_action"
        ),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"]),
        sa.ForeignKeyConstraint(["image_id"], ["part_images.id"]),
        sa.PrimaryKeyConstraint("import_id", "number"),
    )
    op.create_index("ix_import_photos_action", "import_photos", ["import_id", "action", "number"])
    is_there = sa.text("image_id IS NOT NULL")
    op.create_index(
        "ix_import_photos_image_id",
        "import_photos",
        ["image_id"],
        sqlite_where=is_there,
        postgresql_where=is_there,
    )


def downgrade() -> None:
    op.drop_table("import_photos")
    op.execute("DELETE FROM import_rows WHERE import_id IN (SELECT id FROM imports WHERE sha256 IS NULL)")
    op.execute("DELETE FROM imports WHERE sha256 IS NULL")
    with op.batch_alter_table("imports") as imports:
        for name in (
            *("made_categories", "photo_counts", "photos_done", "photo_count", "photo_choices"),
            "photos_path",
        ):
            imports.drop_column(name)
        imports.alter_column("sha256", existing_type=sa.String(length=64), nullable=False)
        imports.alter_column("storage_path", existing_type=sa.Text(), nullable=False)

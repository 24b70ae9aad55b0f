"""What each photo looks like, and which earlier photo is the same picture."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Id

revision = "photo_looks"
down_revision = "part_facts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("part_images", sa.Column("look", sa.Text(), nullable=True))
    # In one statement, which SQLite takes without building the table again.
    kind = Id().compile(dialect=op.get_bind().dialect)
    op.execute(f"ALTER TABLE part_images ADD COLUMN same_as_id {kind} REFERENCES part_images (id)")
    op.create_index("ix_part_images_sha256", "part_images", ["sha256"])


def downgrade() -> None:
    op.drop_index("ix_part_images_sha256", "part_images")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_column("part_images", "same_as_id")
    else:
        with op.batch_alter_table("part_images") as table:
            table.drop_column("same_as_id")
    op.drop_column("part_images", "look")

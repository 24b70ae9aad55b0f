"""Parts that customers see no picture of, so that lists can show them last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "pictures_first"
down_revision = "equal_skus"
branch_labels = None
depends_on = None

_INDEX = ["is_published", "is_bare", "name_key", "sku_key", "part_id"]


def upgrade() -> None:
    op.add_column(
        "part_search", sa.Column("is_bare", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.execute("UPDATE part_search SET is_bare = NOT (has_photo OR has_model)")
    op.create_index("ix_part_search_pictures", "part_search", _INDEX)


def downgrade() -> None:
    op.drop_index("ix_part_search_pictures", "part_search")
    op.drop_column("part_search", "is_bare")

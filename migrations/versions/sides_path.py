"""A picture of each model from the sides of its photos, for the review."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "sides_path"
down_revision = "photo_looks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("model_versions", sa.Column("sides_path", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("model_versions", "sides_path")

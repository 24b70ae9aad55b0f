"""A picture of each model, for the moment before it is loaded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "posters"
down_revision = "accounts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("model_versions", sa.Column("poster_path", sa.Text()))


def downgrade() -> None:
    op.drop_column("model_versions", "poster_path")

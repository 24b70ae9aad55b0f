"""What admins point out on a model."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "hotspots"
down_revision = "batches"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("model_versions", sa.Column("hotspots", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("model_versions", "hotspots")

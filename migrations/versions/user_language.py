"""The language that a person chose for staff pages; null leaves it to the browser."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "user_language"
down_revision = "hotspots"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("language", sa.String(length=8), nullable=True))


def downgrade() -> None:
    op.drop_column("users", "language")

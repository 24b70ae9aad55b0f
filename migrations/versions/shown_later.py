"""When changes of the content show that need not show at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Moment

revision = "shown_later"
down_revision = "token_names"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("content_stamp", sa.Column("shows_at", Moment(), nullable=True))


def downgrade() -> None:
    op.drop_column("content_stamp", "shows_at")

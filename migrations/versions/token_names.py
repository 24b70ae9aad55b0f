"""API tokens have a name, and admins choose which notices the webhook gets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "token_names"
down_revision = "bulk_labels"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_tokens", sa.Column("name", sa.String(length=60), server_default="", nullable=False))
    everything = "failed review balance budget poller"
    op.add_column(
        "shop_options",
        sa.Column("webhook_notices", sa.String(length=80), server_default=everything, nullable=False),
    )


def downgrade() -> None:
    op.drop_column("shop_options", "webhook_notices")
    op.drop_column("api_tokens", "name")

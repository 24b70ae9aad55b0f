"""Links by which people choose their passwords: an invitation, or for a forgotten one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Moment

revision = "account_links"
down_revision = "roles_and_scopes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("link_sha256", sa.String(length=64), nullable=True))
    op.add_column("users", sa.Column("link_expires_at", Moment(), nullable=True))
    op.create_index("ix_users_link_sha256", "users", ["link_sha256"], unique=True)


def downgrade() -> None:
    op.drop_index("ix_users_link_sha256", "users")
    op.drop_column("users", "link_expires_at")
    op.drop_column("users", "link_sha256")

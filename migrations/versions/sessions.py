"""One login can be ended for good, and one-time passwords run out: those of today in 72 hours."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Id, Moment, utc_now

revision = "sessions"
down_revision = "messages"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ended_sessions",
        sa.Column("id", Id, primary_key=True),
        sa.Column("ended_at", Moment, nullable=False),
    )
    op.add_column("users", sa.Column("password_expires_at", Moment, nullable=True))
    columns = sa.column("must_change_password", sa.Boolean), sa.column("password_expires_at", Moment)
    users = sa.table("users", *columns)
    limit = utc_now() + timedelta(hours=72)
    op.execute(users.update().where(users.c.must_change_password).values(password_expires_at=limit))


def downgrade() -> None:
    op.drop_column("users", "password_expires_at")
    op.drop_table("ended_sessions")

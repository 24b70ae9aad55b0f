"""The model that an admin chose for an account, and what the engine has announced to take away."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Moment

revision = "engine_model"
down_revision = "photo_widths"
branch_labels = None
depends_on = None

_NEW = {"model": sa.String(64), "leaving_since": Moment(), "leaving_link": sa.Text()}


def upgrade() -> None:
    for name, kind in _NEW.items():
        op.add_column("engine_accounts", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("engine_accounts") as accounts:
        for name in _NEW:
            accounts.drop_column(name)

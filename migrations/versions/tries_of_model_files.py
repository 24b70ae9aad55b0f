"""How often writing a model in another format has failed: a crash is tried again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "tries_of_model_files"
down_revision = "shop_settings"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("model_files") as table:
        table.add_column(sa.Column("tries", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("model_files") as table:
        table.drop_column("tries")

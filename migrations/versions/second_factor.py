"""A second factor at the login, and whether admins need one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "second_factor"
down_revision = "notices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("totp_secret", sa.String(length=32), nullable=True))
    op.add_column("users", sa.Column("totp_step", sa.Integer(), server_default="0", nullable=False))
    op.add_column("users", sa.Column("recovery_codes", sa.JSON(), server_default="[]", nullable=False))
    op.add_column("shop_options", sa.Column("admins_need_code", sa.Boolean(), nullable=True))


def downgrade() -> None:
    op.drop_column("shop_options", "admins_need_code")
    for name in ("recovery_codes", "totp_step", "totp_secret"):
        op.drop_column("users", name)

"""Settings that admins choose on a page, without a restart; null leaves them to the environment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_settings"
down_revision = "captures"
branch_labels = None
depends_on = None

_TEXTS = {
    "name": 80,
    "email": 254,
    "phone": 40,
    "whatsapp": 20,
    "accent": 7,
    "logo_type": 20,
    "logo_sha256": 64,
    "currency": 3,
    "units": 2,
    "languages": 40,
}
_NUMBERS = ("ask_agreement", "monthly_budget", "user_monthly_limit", "low_balance")


def upgrade() -> None:
    for name, length in _TEXTS.items():
        op.add_column("shop_options", sa.Column(name, sa.String(length=length), nullable=True))
    for name in _NUMBERS:
        op.add_column("shop_options", sa.Column(name, sa.Integer(), nullable=True))
    op.add_column("shop_options", sa.Column("review_before_publish", sa.Boolean(), nullable=True))
    op.add_column("shop_options", sa.Column("logo_file", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    for name in ("logo_file", "review_before_publish", *_NUMBERS, *_TEXTS):
        op.drop_column("shop_options", name)

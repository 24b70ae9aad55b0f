"""Messages get a code and parameters beside their English text. Earlier rows have their text alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "messages"
down_revision = "next_step"
branch_labels = None
depends_on = None

_MESSAGES = {
    "parts": ("model_generation_error",),
    "model_generation_jobs": ("waiting", "error"),
    "generation_attempts": ("detail",),
    "job_events": ("detail",),
}


def upgrade() -> None:
    for table, names in _MESSAGES.items():
        for name in names:
            op.add_column(table, sa.Column(f"{name}_code", sa.String(64), nullable=True))
            op.add_column(table, sa.Column(f"{name}_params", sa.JSON(), nullable=True))


def downgrade() -> None:
    for table, names in _MESSAGES.items():
        for name in names:
            op.drop_column(table, f"{name}_params")
            op.drop_column(table, f"{name}_code")

"""An account's orders can wait because the engine has retired the model that is set."""

from __future__ import annotations

from alembic import op

revision = "retired_model"
down_revision = "photo_outlines"
branch_labels = None
depends_on = None

_NAME = "engine_accounts_pause"
_BEFORE = "pause IN ('key', 'credits', 'plan', 'address', 'full', 'rate')"
_AFTER = "pause IN ('key', 'credits', 'plan', 'model', 'address', 'full', 'rate')"


def upgrade() -> None:
    _allow(_AFTER)


def downgrade() -> None:
    op.execute("UPDATE engine_accounts SET pause = 'plan' WHERE pause = 'model'")
    _allow(_BEFORE)


def _allow(causes: str) -> None:
    with op.batch_alter_table("engine_accounts") as accounts:
        accounts.drop_constraint(_NAME, type_="check")
        accounts.create_check_constraint(_NAME, causes)

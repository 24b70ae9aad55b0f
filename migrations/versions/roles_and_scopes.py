"""The role editor, and tokens with scopes: those of admins may do everything, those of viewers may read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "roles_and_scopes"
down_revision = "change_log"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("users") as users:
        users.drop_constraint("users_role", type_="check")
        users.create_check_constraint("users_role", "role IN ('viewer', 'editor', 'admin')")
    op.add_column(
        "api_tokens", sa.Column("scopes", sa.String(length=64), server_default="read", nullable=False)
    )
    op.execute("UPDATE api_tokens SET scopes = 'read write generate' WHERE role = 'admin'")
    with op.batch_alter_table("api_tokens") as tokens:
        tokens.alter_column("scopes", existing_type=sa.String(length=64), server_default=None)
        tokens.drop_constraint("api_tokens_role", type_="check")
        tokens.drop_column("role")


def downgrade() -> None:
    op.add_column(
        "api_tokens", sa.Column("role", sa.String(length=16), server_default="viewer", nullable=False)
    )
    op.execute("UPDATE api_tokens SET role = 'admin' WHERE scopes = 'read write generate'")
    with op.batch_alter_table("api_tokens") as tokens:
        tokens.alter_column("role", existing_type=sa.String(length=16), server_default=None)
        tokens.drop_column("scopes")
        tokens.create_check_constraint("api_tokens_role", "role IN ('admin', 'viewer')")
    op.execute("UPDATE users SET role = 'viewer' WHERE role = 'editor'")
    with op.batch_alter_table("users") as users:
        users.drop_constraint("users_role", type_="check")
        users.create_check_constraint("users_role", "role IN ('admin', 'viewer')")

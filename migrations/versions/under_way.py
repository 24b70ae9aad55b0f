"""What is under way and what came through: removals and deletions of tasks, passes of pollers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Moment

revision = "under_way"
down_revision = "levels"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("stray_tasks", sa.Column("deleting_until", Moment(), nullable=True))
    op.add_column(
        "stray_tasks", sa.Column("is_deleted", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("generation_attempts", sa.Column("removal_asked_at", Moment(), nullable=True))
    op.add_column("pollers", sa.Column("seen_at", Moment(), nullable=True))
    op.execute("UPDATE pollers SET seen_at = last_pass_at")
    with op.batch_alter_table("pollers") as pollers:
        pollers.alter_column("seen_at", existing_type=Moment(), nullable=False)
        pollers.alter_column("last_pass_at", existing_type=Moment(), nullable=True)


def downgrade() -> None:
    op.execute("UPDATE pollers SET last_pass_at = seen_at WHERE last_pass_at IS NULL")
    with op.batch_alter_table("pollers") as pollers:
        pollers.alter_column("last_pass_at", existing_type=Moment(), nullable=False)
        pollers.drop_column("seen_at")
    op.drop_column("generation_attempts", "removal_asked_at")
    for name in ("is_deleted", "deleting_until"):
        op.drop_column("stray_tasks", name)

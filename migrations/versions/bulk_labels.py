"""Many parts at once: photos are labelled by their order."""

from __future__ import annotations

from alembic import op

revision = "bulk_labels"
down_revision = "second_factor"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _allow("'publish', 'unpublish', 'category', 'label', 'delete'")


def downgrade() -> None:
    op.execute("DELETE FROM bulk_changes WHERE action = 'label'")
    _allow("'publish', 'unpublish', 'category', 'delete'")


def _allow(actions: str) -> None:
    with op.batch_alter_table("bulk_changes") as changes:
        changes.drop_constraint("bulk_changes_action", type_="check")
        changes.create_check_constraint("bulk_changes_action", f"action IN ({actions})")

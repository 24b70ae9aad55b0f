"""A lighter file of each model, for phones."""

from __future__ import annotations

from alembic import op

revision = "light_files"
down_revision = "tries_of_model_files"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("model_files") as files:
        files.drop_constraint("model_files_format", type_="check")
        files.create_check_constraint("model_files_format", "format IN ('light', 'stl', 'usdz')")


def downgrade() -> None:
    op.execute("DELETE FROM model_files WHERE format = 'light'")
    with op.batch_alter_table("model_files") as files:
        files.drop_constraint("model_files_format", type_="check")
        files.create_check_constraint("model_files_format", "format IN ('stl', 'usdz')")

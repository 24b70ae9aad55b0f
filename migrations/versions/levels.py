"""What each model version is made for, its file for AR, and jobs that optimize a kept raw model again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Id

revision = "levels"
down_revision = "photo_checks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "model_versions", sa.Column("level", sa.String(length=16), server_default="web", nullable=False)
    )
    op.add_column("model_versions", sa.Column("ar_storage_path", sa.Text(), nullable=True))
    op.add_column("model_versions", sa.Column("ar_sha256", sa.String(length=64), nullable=True))
    op.add_column("model_versions", sa.Column("ar_file_size_bytes", sa.Integer(), nullable=True))
    # In one statement, which SQLite takes without building the table again.
    kind = Id().compile(dialect=op.get_bind().dialect)
    op.execute(
        f"ALTER TABLE model_generation_jobs ADD COLUMN optimized_from {kind} "
        "REFERENCES model_generation_jobs (id)"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_column("model_generation_jobs", "optimized_from")
    else:
        with op.batch_alter_table("model_generation_jobs") as table:
            table.drop_column("optimized_from")
    for name in ("ar_file_size_bytes", "ar_sha256", "ar_storage_path", "level"):
        op.drop_column("model_versions", name)

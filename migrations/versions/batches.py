"""Orders for the models of many parts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Id, Moment

revision = "batches"
down_revision = "import_photos"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "batches",
        sa.Column("id", Id(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("engine", sa.String(length=16), nullable=False),
        sa.Column("generation_config", sa.JSON(), nullable=False),
        sa.Column("credits_each", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("created_by", Id(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.CheckConstraint(
            "state IN ('ready', 'running', 'paused', 'stopped', 'done')", name="batches_state"
        ),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    running = sa.text("state = 'running'")
    op.create_index("ix_batches_running", "batches", ["id"], sqlite_where=running, postgresql_where=running)
    op.create_table(
        "batch_parts",
        sa.Column("batch_id", Id(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("part_id", Id(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("doubts", sa.JSON(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("job_id", Id()),
        sa.CheckConstraint("state IN ('waiting', 'ordered', 'left_out')", name="batch_parts_state"),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"]),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"]),
        sa.ForeignKeyConstraint(["job_id"], ["model_generation_jobs.id"]),
        sa.PrimaryKeyConstraint("batch_id", "number"),
    )
    op.create_index("ix_batch_parts_state", "batch_parts", ["batch_id", "state", "number"])
    has_job = sa.text("job_id IS NOT NULL")
    op.create_index(
        "ix_batch_parts_job_id", "batch_parts", ["job_id"], sqlite_where=has_job, postgresql_where=has_job
    )


def downgrade() -> None:
    op.drop_table("batch_parts")
    op.drop_table("batches")

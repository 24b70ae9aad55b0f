"""Tasks that no job follows or that are missing, and orders that wait for a person's word."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Id, Moment

revision = "stray_tasks"
down_revision = "first_release"
branch_labels = None
depends_on = None

_IN_FLIGHT = "ux_generation_attempts_account_in_flight"
_BEFORE = "state IN ('sending', 'unknown')"


def upgrade() -> None:
    op.add_column("generation_attempts", sa.Column("asked_at", Moment(), nullable=True))
    _one_in_flight(f"{_BEFORE} AND asked_at IS NULL")
    op.create_index("ix_generation_attempts_task_id", "generation_attempts", ["task_id"])
    op.add_column("model_generation_jobs", sa.Column("task_missing_since", Moment(), nullable=True))
    op.create_table(
        "stray_tasks",
        sa.Column("id", Id(), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("texture_prompt", sa.Text(), nullable=False),
        sa.Column("has_thumbnail", sa.Boolean(), nullable=False),
        sa.Column("consumed_credits", sa.Integer(), nullable=True),
        sa.Column("made_at", Moment(), nullable=True),
        sa.Column("expires_at", Moment(), nullable=True),
        sa.Column("maybe_job_id", Id(), nullable=True),
        sa.Column("first_seen_at", Moment(), nullable=False),
        sa.Column("seen_at", Moment(), nullable=False),
        sa.Column("dismissed_at", Moment(), nullable=True),
        sa.Column("dismissed_by", Id(), nullable=True),
        sa.ForeignKeyConstraint(["maybe_job_id"], ["model_generation_jobs.id"]),
        sa.ForeignKeyConstraint(["dismissed_by"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ux_stray_tasks_account_task_id", "stray_tasks", ["account", "task_id"], unique=True)
    op.create_index("ix_stray_tasks_maybe_job_id", "stray_tasks", ["maybe_job_id"])


def downgrade() -> None:
    op.drop_table("stray_tasks")
    op.execute(
        "UPDATE generation_attempts SET state = 'refused' WHERE asked_at IS NOT NULL AND state = 'unknown'"
    )
    _one_in_flight(_BEFORE)
    op.drop_index("ix_generation_attempts_task_id", "generation_attempts")
    op.drop_column("generation_attempts", "asked_at")
    op.drop_column("model_generation_jobs", "task_missing_since")


def _one_in_flight(where: str) -> None:
    op.drop_index(_IN_FLIGHT, "generation_attempts")
    condition = sa.text(where)
    op.create_index(
        _IN_FLIGHT,
        "generation_attempts",
        ["account"],
        unique=True,
        sqlite_where=condition,
        postgresql_where=condition,
    )

"""The ledger of credits; what earlier jobs took is copied into it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Id, Moment, new_id

revision = "ledger"
down_revision = "posters"
branch_labels = None
depends_on = None


def upgrade() -> None:
    refused = sa.Column("input_refused", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("model_generation_jobs", refused)
    op.create_table(
        "credit_entries",
        sa.Column("id", Id(), nullable=False),
        sa.Column("job_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=True),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("task_id", sa.Text(), nullable=True),
        sa.Column("estimated", sa.Integer(), nullable=False),
        sa.Column("spent", sa.Integer(), nullable=True),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("settled_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["model_generation_jobs.id"]),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_credit_entries_job_id", "credit_entries", ["job_id"])
    op.create_index("ix_credit_entries_day", "credit_entries", ["day"])
    _partial_unique("ux_credit_entries_task_id", ["account", "task_id"], "task_id IS NOT NULL")
    _partial_unique("ux_credit_entries_job_id_unsent", ["job_id"], "task_id IS NULL")
    _copy_earlier_jobs()


def downgrade() -> None:
    op.drop_table("credit_entries")
    op.drop_column("model_generation_jobs", "input_refused")


def _partial_unique(name: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(
        name, "credit_entries", columns, unique=True, sqlite_where=condition, postgresql_where=condition
    )


_JOBS = sa.table(
    "model_generation_jobs",
    *(sa.column(name, Id()) for name in ("id", "created_by")),
    *(sa.column(name) for name in ("status", "account", "estimated_credits", "meshy_credits_used")),
    sa.column("created_at", Moment()),
)
_ATTEMPTS = sa.table(
    "generation_attempts",
    sa.column("job_id", Id()),
    *(sa.column(name) for name in ("state", "account", "task_id")),
    sa.column("created_at", Moment()),
)
_ENTRIES = sa.table(
    "credit_entries",
    *(sa.column(name, Id()) for name in ("id", "job_id", "user_id")),
    *(sa.column(name) for name in ("account", "task_id", "estimated", "spent", "day")),
    *(sa.column(name, Moment()) for name in ("created_at", "settled_at")),
)


def _copy_earlier_jobs() -> None:
    """An entry for each task, and one for each job that waits. What a job took is told of its newest task;
    of an earlier one nothing, since only a failed task, which is refunded, was followed by another."""
    connection = op.get_bind()
    newest_first = sa.select(_ATTEMPTS).where(_ATTEMPTS.c.state == "accepted")
    tasks: dict[str, list[Any]] = {}
    for attempt in connection.execute(newest_first.order_by(_ATTEMPTS.c.created_at.desc())):
        tasks.setdefault(attempt.job_id, []).append(attempt)
    for job in connection.execute(sa.select(_JOBS)).all():
        for place, attempt in enumerate(tasks.get(job.id, [])):
            spent = _spent(job) if place == 0 else 0
            _add(job, attempt.account, attempt.task_id, spent, attempt.created_at)
        if job.status == "pending":
            _add(job, job.account, None, None, job.created_at)


def _spent(job: Any) -> int | None:
    if job.meshy_credits_used is None and job.status == "canceled":
        return int(job.estimated_credits)
    return None if job.meshy_credits_used is None else int(job.meshy_credits_used)


def _add(job: Any, account: str, task_id: str | None, spent: int | None, at: Any) -> None:
    entry = {
        "id": new_id(),
        "job_id": job.id,
        "user_id": job.created_by,
        "account": account,
        "task_id": task_id,
        "estimated": job.estimated_credits,
        "spent": spent,
        "day": at.strftime("%Y-%m-%d"),
        "created_at": at,
        "settled_at": None if spent is None else at,
    }
    op.get_bind().execute(_ENTRIES.insert().values(entry))

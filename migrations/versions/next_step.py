"""What the poller does next with a job is a column, and no longer derived from two flags."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "next_step"
down_revision = "under_way"
branch_labels = None
depends_on = None

_JOBS = "model_generation_jobs"
_DUE = "ix_model_generation_jobs_due"
_LIVE = "status IN ('pending', 'submitted', 'processing', 'optimizing')"
_NEXT_STEP = (
    "(status = 'pending' AND next_step IN ('submit'))"
    " OR (status = 'submitted' AND next_step IN ('poll'))"
    " OR (status = 'processing' AND next_step IN ('poll', 'download'))"
    " OR (status = 'optimizing' AND next_step IN ('optimize'))"
    " OR (status = 'complete' AND next_step IN ('none'))"
    " OR (status = 'failed' AND next_step IN ('none'))"
    " OR (status = 'canceled' AND next_step IN ('none', 'revoke'))"
)


def upgrade() -> None:
    op.drop_index(_DUE, _JOBS)
    op.add_column(_JOBS, sa.Column("next_step", sa.String(16), nullable=True))
    op.add_column(_JOBS, sa.Column("raw_refused", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(
        "UPDATE model_generation_jobs SET raw_refused = (status = 'failed' AND has_result), next_step = CASE"
        " WHEN status = 'pending' THEN 'submit'"
        " WHEN status = 'processing' AND has_result THEN 'download'"
        " WHEN status IN ('submitted', 'processing') THEN 'poll'"
        " WHEN status = 'optimizing' THEN 'optimize'"
        " WHEN status = 'canceled' AND needs_cleanup THEN 'revoke'"
        " ELSE 'none' END"
    )
    with op.batch_alter_table(_JOBS) as jobs:
        jobs.alter_column("next_step", existing_type=sa.String(16), nullable=False)
        jobs.create_check_constraint("model_generation_jobs_next_step", sa.text(_NEXT_STEP))
        jobs.drop_column("has_result")
        jobs.drop_column("needs_cleanup")
    _create_due_index("next_step <> 'none'")


def downgrade() -> None:
    op.drop_index(_DUE, _JOBS)
    for name in ("has_result", "needs_cleanup"):
        op.add_column(_JOBS, sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(
        "UPDATE model_generation_jobs SET has_result = (next_step = 'download' OR raw_refused),"
        " needs_cleanup = (next_step = 'revoke')"
    )
    with op.batch_alter_table(_JOBS) as jobs:
        jobs.drop_constraint("model_generation_jobs_next_step", type_="check")
        jobs.drop_column("next_step")
        jobs.drop_column("raw_refused")
    _create_due_index(f"{_LIVE} OR needs_cleanup")


def _create_due_index(where: str) -> None:
    condition = sa.text(where)
    op.create_index(_DUE, _JOBS, ["next_at"], sqlite_where=condition, postgresql_where=condition)

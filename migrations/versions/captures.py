"""Spin captures, and jobs that are made of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Id, Moment

revision = "captures"
down_revision = "account_links"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "captures",
        sa.Column("id", Id(), nullable=False),
        sa.Column("part_id", Id(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("problem_text", sa.Text(), nullable=True),
        sa.Column("problem_code", sa.String(length=64), nullable=True),
        sa.Column("problem_params", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", Moment(), nullable=True),
        sa.Column("created_by", Id(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("touched_at", Moment(), nullable=False),
        sa.CheckConstraint(
            "state IN ('uploading', 'waiting', 'reading', 'ready', 'refused')", name="captures_state"
        ),
        sa.CheckConstraint("position IN (1, 2)", name="captures_position"),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"]),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_captures_part_id", "captures", ["part_id"])
    due = sa.text("due_at IS NOT NULL")
    op.create_index("ix_captures_due_at", "captures", ["due_at"], sqlite_where=due, postgresql_where=due)
    op.create_table(
        "capture_files",
        sa.Column("id", Id(), nullable=False),
        sa.Column("capture_id", Id(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("received_bytes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["capture_id"], ["captures.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("capture_id", "number", name="ux_capture_files_capture_id_number"),
    )
    op.create_table(
        "capture_blobs",
        sa.Column("id", Id(), nullable=False),
        sa.Column("capture_id", Id(), nullable=False),
        sa.Column("part_id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("file_number", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("storage_path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.CheckConstraint("kind IN ('piece', 'frame', 'cameras')", name="capture_blobs_kind"),
        sa.ForeignKeyConstraint(["capture_id"], ["captures.id"]),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_capture_blobs_capture_id", "capture_blobs", ["capture_id"])
    op.create_index("ix_capture_blobs_part_id", "capture_blobs", ["part_id"])
    op.add_column(
        "model_generation_jobs",
        sa.Column("capture_ids", sa.JSON(), nullable=False, server_default="[]"),
    )


def downgrade() -> None:
    op.drop_column("model_generation_jobs", "capture_ids")
    op.drop_table("capture_blobs")
    op.drop_table("capture_files")
    op.drop_table("captures")

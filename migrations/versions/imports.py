"""Imports of tables, and what became of their rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Id, Moment

revision = "imports"
down_revision = "sides_path"
branch_labels = None
depends_on = None

_STATES = ["previewing", "ready", "refused", "importing", "stopped", "done", "undoing", "undone"]
_ACTIONS = ["new", "changed", "unchanged", "refused"]


def _one_of(column: str, words: list[str]) -> str:
    return f"{column} IN ({', '.join(repr(word) for word in words)})"


def upgrade() -> None:
    op.create_table(
        "imports",
        sa.Column("id", Id(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("storage_path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("layout", sa.JSON(), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("heading_key", sa.String(length=64), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("stops_at_refused", sa.Boolean(), nullable=False),
        sa.Column("makes_categories", sa.Boolean(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("rows_done", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("due_at", Moment()),
        sa.Column("created_by", Id()),
        sa.Column("created_at", Moment(), nullable=False),
        sa.CheckConstraint(_one_of("state", _STATES), name="imports_state"),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index("ix_imports_due_at", "imports", ["due_at"], sqlite_where=due, postgresql_where=due)
    op.create_index("ix_imports_heading_key", "imports", ["heading_key"])
    op.create_table(
        "import_rows",
        sa.Column("import_id", Id(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("part_id", Id()),
        sa.Column("part_revision", sa.Integer(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("not_undone", sa.Text(), nullable=False),
        sa.CheckConstraint(_one_of("action", _ACTIONS), name="import_rows_action"),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"]),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"]),
        sa.PrimaryKeyConstraint("import_id", "number"),
    )
    op.create_index("ix_import_rows_action", "import_rows", ["import_id", "action", "number"])


def downgrade() -> None:
    op.drop_table("import_rows")
    op.drop_table("imports")

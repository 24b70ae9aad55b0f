"""What lists and searches read of each part, and the words by which a misspelt one is put right.

The rows are made when the last migration has run (`migrations/env.py`).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from acr3d.db import full_text
from acr3d.db.types import Id, Moment, SortableText

revision = "part_search"
down_revision = "content_stamp"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_part_search_name": ["name_key", "sku_key", "part_id"],
    "ix_part_search_published_name": ["is_published", "name_key", "sku_key", "part_id"],
    "ix_part_search_sku": ["sku_key", "part_id"],
    "ix_part_search_newest": ["created_at", "part_id"],
    "ix_part_search_facts": ["is_published", "model_status", "has_model", "has_photo", "has_size"],
}


def upgrade() -> None:
    op.create_table(
        "part_search",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("part_id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name_key", SortableText, nullable=False),
        sa.Column("sku_key", SortableText, nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("is_published", sa.Boolean(), nullable=False),
        sa.Column("model_status", sa.String(length=16), nullable=False),
        sa.Column("has_model", sa.Boolean(), nullable=False),
        sa.Column("has_photo", sa.Boolean(), nullable=False),
        sa.Column("has_size", sa.Boolean(), nullable=False),
        sa.Column("numbers", sa.Text(), nullable=False),
        sa.Column("tokens", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ux_part_search_part_id", "part_search", ["part_id"], unique=True)
    for name, columns in _INDEXES.items():
        op.create_index(name, "part_search", columns)
    op.create_table(
        "search_words",
        sa.Column("word", SortableText, nullable=False),
        sa.Column("backwards", SortableText, nullable=False),
        sa.PrimaryKeyConstraint("word"),
    )
    op.create_index("ix_search_words_backwards", "search_words", ["backwards"])
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in full_text.SQLITE_OBJECTS.values() if is_sqlite else [full_text.POSTGRES_CREATE]:
        op.execute(sa.text(statement))


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP TABLE {full_text.SQLITE_TABLE}")
    op.drop_table("search_words")
    op.drop_table("part_search")

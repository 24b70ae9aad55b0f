"""More facts of a part: brand, category, price, weight, other numbers, vehicles, attributes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Id, SortableText, Thousandths

revision = "part_facts"
down_revision = "pictures_first"
branch_labels = None
depends_on = None

_COLUMNS = {
    "brand": sa.Text(),
    "category_id": Id(),
    "weight_g": sa.Double(),
    "price": Thousandths(),
    "currency": sa.String(length=3),
    "price_unit": sa.Text(),
    "availability": sa.String(length=16),
    "condition": sa.String(length=16),
}
_LEVELS = ("category_1", "category_2", "category_3")


def upgrade() -> None:
    op.create_table(
        "categories",
        sa.Column("id", Id(), nullable=False),
        sa.Column("parent_id", Id()),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("path_key", SortableText, nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["categories.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ux_categories_path_key", "categories", ["path_key"], unique=True)
    op.create_index("ix_categories_parent_id", "categories", ["parent_id"])
    _create_list(
        "part_numbers",
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('oe', 'mpn', 'gtin', 'old', 'other')", name="part_numbers_kind"),
    )
    _create_list(
        "part_fitments",
        sa.Column("make", sa.Text(), nullable=False),
        sa.Column("model", sa.Text()),
        sa.Column("year_from", sa.Integer()),
        sa.Column("year_to", sa.Integer()),
        sa.Column("engine", sa.Text()),
        sa.Column("note", sa.Text()),
    )
    op.create_index("ix_part_fitments_make", "part_fitments", ["make", "model"])
    with op.batch_alter_table("parts") as parts:
        for name, kind in _COLUMNS.items():
            parts.add_column(sa.Column(name, kind))
        parts.add_column(sa.Column("attributes", sa.JSON(), nullable=False, server_default="{}"))
        parts.create_foreign_key("fk_parts_category_id", "categories", ["category_id"], ["id"])
        parts.create_check_constraint(
            "parts_availability", "availability IN ('in_stock', 'out_of_stock', 'on_order')"
        )
        parts.create_check_constraint("parts_condition", "condition IN ('new', 'used', 'refurbished')")
    op.create_index("ix_parts_category_id", "parts", ["category_id"])
    for level in _LEVELS:
        op.add_column("part_search", sa.Column(level, Id()))
        op.create_index(f"ix_part_search_{level}", "part_search", [level, "name_key", "sku_key", "part_id"])
    op.create_index("ix_part_search_categories", "part_search", [*_LEVELS, "is_published"])


def downgrade() -> None:
    op.drop_index("ix_part_search_categories", "part_search")
    for level in _LEVELS:
        op.drop_index(f"ix_part_search_{level}", "part_search")
        op.drop_column("part_search", level)
    op.drop_index("ix_parts_category_id", "parts")
    with op.batch_alter_table("parts") as parts:
        parts.drop_constraint("parts_condition", type_="check")
        parts.drop_constraint("parts_availability", type_="check")
        parts.drop_constraint("fk_parts_category_id", type_="foreignkey")
        for name in (*_COLUMNS, "attributes"):
            parts.drop_column(name)
    for table in ("part_fitments", "part_numbers", "categories"):
        op.drop_table(table)


def _create_list(name: str, *columns: sa.schema.SchemaItem) -> None:
    op.create_table(
        name,
        sa.Column("id", Id(), nullable=False),
        sa.Column("part_id", Id(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(f"ix_{name}_part_id", name, ["part_id"])

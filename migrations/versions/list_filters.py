"""Lists of parts that are limited by what a part lacks: their indexes hold all that is asked for."""

from __future__ import annotations

from alembic import op

revision = "list_filters"
down_revision = "engine_model"
branch_labels = None
depends_on = None

_FILTERED = ["is_published", "model_status", "has_model", "has_photo", "has_size"]
_ORDERS = {
    "ix_part_search_name": ["name_key", "sku_key", "part_id"],
    "ix_part_search_sku": ["sku_key", "part_id"],
    "ix_part_search_newest": ["created_at", "part_id"],
}
_LEVELS = ("category_1", "category_2", "category_3")
_PUBLISHED = "ix_part_search_published_name"


def upgrade() -> None:
    op.drop_index(_PUBLISHED, "part_search")
    _replace({name: columns + _FILTERED for name, columns in (_ORDERS | _by_level(["created_at"])).items()})


def downgrade() -> None:
    _replace(_ORDERS | _by_level([]))
    op.create_index(_PUBLISHED, "part_search", ["is_published", "name_key", "sku_key", "part_id"])


def _by_level(more: list[str]) -> dict[str, list[str]]:
    return {f"ix_part_search_{one}": [one, "name_key", "sku_key", "part_id", *more] for one in _LEVELS}


def _replace(indexes: dict[str, list[str]]) -> None:
    for name, columns in indexes.items():
        op.drop_index(name, "part_search")
        op.create_index(name, "part_search", columns)

"""What SKUs that look equal have in common, and the SKUs that parts had before.

Parts of one look are kept: the oldest gets the look, and the others none until somebody renames one.
"""

from __future__ import annotations

import logging
import unicodedata

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Id, Moment

revision = "equal_skus"
down_revision = "part_search"
branch_labels = None
depends_on = None

log = logging.getLogger("alembic.runtime.migration")

_LIKE = str.maketrans(
    "АВЕЅНІЈКМОРСТУҮХЗԌѴԜӀӠꙄ" "ΑΒΕϜΖΗΙͿΚΜϺΝΟΡΤΥΧ" "ՕՏՍ",
    "ABESHIJKMOPCTYYX3GVWI32" "ABEFZHIJKMMNOPTYX" "OSU",
)  # fmt: skip
_PRESENT = "deleted_at IS NULL"


def upgrade() -> None:
    op.add_column("parts", sa.Column("sku_look", sa.Text(), nullable=True))
    _fill()
    for name, is_unique, where in (
        ("ux_parts_sku_look", True, _PRESENT),
        ("ix_parts_deleted_sku_look", False, "deleted_at IS NOT NULL"),
    ):
        condition = sa.text(where)
        op.create_index(
            name, "parts", ["sku_look"], unique=is_unique, sqlite_where=condition, postgresql_where=condition
        )
    op.create_table(
        "former_skus",
        sa.Column("sku_look", sa.Text(), primary_key=True),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("part_id", Id(), sa.ForeignKey("parts.id"), nullable=False),
        sa.Column("renamed_at", Moment(), nullable=False),
    )
    op.create_index("ix_former_skus_part_id", "former_skus", ["part_id"])


def downgrade() -> None:
    op.drop_table("former_skus")
    op.drop_index("ux_parts_sku_look", "parts")
    op.drop_index("ix_parts_deleted_sku_look", "parts")
    op.drop_column("parts", "sku_look")


def _fill() -> None:
    parts = sa.table(
        "parts",
        sa.column("id", Id()),
        *map(sa.column, ("sku", "sku_look", "deleted_at", "created_at")),
    )
    connection = op.get_bind()
    rows = connection.execute(sa.select(parts).order_by(parts.c.created_at, parts.c.id)).all()
    first: dict[str, str] = {}
    filled = []
    for row in rows:
        look = _look(row.sku)
        if row.deleted_at is None and first.setdefault(look, row.sku) is not row.sku:
            log.warning(
                "SKU “%s” looks like SKU “%s”; both are kept. Rename one of them.", row.sku, first[look]
            )
            continue
        filled.append({"one": row.id, "look": look})
    if filled:
        change = sa.update(parts).where(parts.c.id == sa.bindparam("one"))
        connection.execute(change.values(sku_look=sa.bindparam("look")), filled)


def _look(sku: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", sku).casefold())
    one_dash = "".join("-" if unicodedata.category(c) == "Pd" or c in "−⁃" else c for c in folded)
    return " ".join(one_dash.split()).upper().translate(_LIKE)

"""The parts table of the earlier design, so that a database which has it can be adopted.

`flask db stamp old_parts && flask db upgrade` keeps every row of such a database.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Id, Moment

revision = "old_parts"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    if sa.inspect(op.get_bind()).has_table("parts"):
        raise RuntimeError(
            "This database already has a table “parts”. If it is the earlier design's, run "
            "“flask db stamp old_parts” and then “flask db upgrade”; nothing was changed."
        )
    op.create_table(
        "parts",
        sa.Column("id", Id(), primary_key=True),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("image_url", sa.Text()),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("parts")

"""An admin's word that a model has the part's size although its proportions differ."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from acr3d.db.types import Id, Moment

revision = "size_confirmed"
down_revision = "retired_model"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("model_versions", sa.Column("size_confirmed_at", Moment(), nullable=True))
    # In one statement, which SQLite takes without building the table again.
    kind = Id().compile(dialect=op.get_bind().dialect)
    op.execute(f"ALTER TABLE model_versions ADD COLUMN size_confirmed_by {kind} REFERENCES users (id)")


def downgrade() -> None:
    with op.batch_alter_table("model_versions") as versions:
        versions.drop_column("size_confirmed_by")
    op.drop_column("model_versions", "size_confirmed_at")

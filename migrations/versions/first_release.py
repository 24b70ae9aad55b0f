"""Accounts, photos, jobs and models; each adopted part's picture becomes its first photo."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

from acr3d.db.types import Id, Moment, new_id

revision = "first_release"
down_revision = "old_parts"
branch_labels = None
depends_on = None

TABLES = (
    "pollers",
    "users",
    "api_tokens",
    "model_generation_jobs",
    "part_images",
    "generation_attempts",
    "job_events",
    "model_versions",
)
LIVE = "status IN ('pending', 'submitted', 'processing', 'optimizing')"


def upgrade() -> None:
    _refuse_foreign_tables()
    _widen_parts()
    _adopt_rows()
    _tighten_parts()
    _create_tables()
    _adopt_pictures()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_index("ux_parts_sku_key", "parts")
    op.drop_index("ix_parts_model_status", "parts")
    with op.batch_alter_table("parts") as parts:
        parts.drop_constraint("parts_model_status", type_="check")
        for column in _part_columns():
            parts.drop_column(column.name)


def _refuse_foreign_tables() -> None:
    present = sorted(set(sa.inspect(op.get_bind()).get_table_names()) & set(TABLES))
    if present:
        raise RuntimeError(
            f"This database already has a table “{present[0]}” that is not acr3d's. "
            "Give acr3d a database of its own; nothing was changed."
        )


def _part_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("sku_key", sa.Text()),
        sa.Column("width_mm", sa.Double()),
        sa.Column("height_mm", sa.Double()),
        sa.Column("depth_mm", sa.Double()),
        sa.Column("is_published", sa.Boolean(), server_default=sa.true()),
        sa.Column("primary_image_url", sa.Text()),
        sa.Column("model_status", sa.String(16), server_default="none"),
        sa.Column("model_3d_url", sa.Text()),
        sa.Column("model_generation_started_at", Moment()),
        sa.Column("model_generation_completed_at", Moment()),
        sa.Column("model_generation_error", sa.Text()),
        sa.Column("meshy_task_id", sa.Text()),
        sa.Column("revision", sa.Integer(), server_default="1"),
        sa.Column("deleted_at", Moment()),
    ]


def _widen_parts() -> None:
    """Add the columns; ids and times of an adopted table get their proper types, however declared."""
    if op.get_bind().dialect.name == "postgresql":
        _retype("id", sa.Uuid, "uuid", "id::text::uuid")
        for column in ("created_at", "updated_at"):
            _retype(column, None, "timestamptz", f"{column}::timestamp AT TIME ZONE 'UTC'")
    with _rebuilding_parts() as parts:
        for column in _part_columns():
            parts.add_column(column)


def _rebuilding_parts() -> AbstractContextManager[BatchOperations]:
    """SQLite rebuilds the table; a constraint without a name gets one there, by which it can be dropped."""
    return op.batch_alter_table("parts", naming_convention={"uq": "uq_%(table_name)s_%(column_0_name)s"})


def _retype(column: str, right: type[sa.types.TypeEngine[Any]] | None, to: str, using: str) -> None:
    declared = {one["name"]: one["type"] for one in sa.inspect(op.get_bind()).get_columns("parts")}[column]
    is_right = isinstance(declared, right) if right else getattr(declared, "timezone", False)
    if not is_right:
        op.execute(f"ALTER TABLE parts ALTER COLUMN {column} DROP DEFAULT")
        op.execute(f"ALTER TABLE parts ALTER COLUMN {column} TYPE {to} USING {using}")


def _parts() -> sa.Table:
    """The table as it stands now, its values untouched by our own types."""
    plain = [sa.column(name, sa.String()) for name in ("sku", "sku_key", "name", "image_url")]
    key_and_times = [sa.column(name) for name in ("id", "created_at", "updated_at")]
    return sa.table("parts", *plain, *key_and_times)  # type: ignore[return-value]


def _adopt_rows() -> None:
    connection, parts = op.get_bind(), _parts()
    now = datetime.now(UTC)
    seen: dict[str, str] = {}
    for row in connection.execute(sa.select(parts)).all():
        sku = row.sku if row.sku and row.sku.strip() else f"part-{row.id}"
        key = sku.strip().casefold()
        if key in seen:
            raise RuntimeError(
                f"The parts table has the SKUs “{seen[key]}” and “{sku}”, which differ in case only. "
                "Rename one of them, then upgrade again; nothing was changed."
            )
        seen[key] = sku
        changed = {"sku": sku, "sku_key": key, "name": row.name or sku}
        changed |= _moments(row, now) if connection.dialect.name == "sqlite" else {}
        connection.execute(parts.update().where(parts.c.id == row.id).values(changed))
    if connection.dialect.name == "postgresql":
        op.execute("UPDATE parts SET created_at = coalesce(created_at, now())")
        op.execute("UPDATE parts SET updated_at = coalesce(updated_at, created_at)")


def _moments(row: Any, now: datetime) -> dict[str, str]:
    """The row's times in the one spelling that sorts as text, and its id with dashes."""
    sortable = Moment()
    dialect = op.get_bind().dialect

    def spelt(value: object, otherwise: datetime) -> str:
        try:
            moment = sortable.process_result_value(str(value), dialect) if value else otherwise
        except ValueError:
            moment = otherwise
        return str(sortable.process_bind_param(moment, dialect))

    created = spelt(row.created_at, now)
    updated = spelt(row.updated_at, datetime.fromisoformat(created).replace(tzinfo=UTC))
    return {
        "id": str(Id().process_bind_param(str(row.id), dialect)),
        "created_at": created,
        "updated_at": updated,
    }


def _tighten_parts() -> None:
    inspector = sa.inspect(op.get_bind())
    for index in inspector.get_indexes("parts"):
        if index["unique"] and not index.get("duplicates_constraint"):
            op.drop_index(index["name"], "parts")
    with _rebuilding_parts() as parts:
        for unique in inspector.get_unique_constraints("parts"):  # a deleted part's SKU shall be free again
            parts.drop_constraint(unique["name"] or f"uq_parts_{unique['column_names'][0]}", type_="unique")
        _retype_columns(parts)
        parts.create_check_constraint(
            "parts_model_status",
            "model_status IN ('none', 'queued', 'processing', 'optimizing', 'complete', 'failed')",
        )
    op.create_index("ix_parts_model_status", "parts", ["model_status"])
    _partial_unique("ux_parts_sku_key", "parts", ["sku_key"], "deleted_at IS NULL")


def _retype_columns(parts: BatchOperations) -> None:
    text, moment = sa.Text(), Moment()
    for name in ("sku_key", "name", "sku"):
        parts.alter_column(name, existing_type=text, type_=text, nullable=False)
    for name in ("created_at", "updated_at"):
        parts.alter_column(name, existing_type=moment, type_=moment, nullable=False, server_default=None)
    for column in _part_columns():
        if column.server_default is not None:
            parts.alter_column(column.name, existing_type=column.type, nullable=False, server_default=None)
    if op.get_bind().dialect.name == "sqlite":
        parts.alter_column("id", existing_type=text, type_=Id(), nullable=False)


def _partial_unique(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=True, sqlite_where=condition, postgresql_where=condition)


def _adopt_pictures() -> None:
    """Each remote picture becomes photo 0, "to import": it is neither fetched here nor ever linked."""
    connection, parts = op.get_bind(), _parts()
    images = sa.table(
        "part_images",
        sa.column("id", Id()),
        sa.column("part_id"),
        *(sa.column(name) for name in ("image_url", "display_order", "is_selected_for_3d_generation")),
        sa.column("created_at", Moment()),
        sa.column("updated_at", Moment()),
    )
    now = datetime.now(UTC)
    for row in connection.execute(sa.select(parts)).all():
        if not (row.image_url or "").strip():
            continue
        connection.execute(
            images.insert().values(
                id=new_id(),
                part_id=row.id,
                image_url=row.image_url.strip(),
                display_order=0,
                is_selected_for_3d_generation=False,
                created_at=now,
                updated_at=now,
            )
        )


def _create_tables() -> None:
    op.create_table(
        "pollers",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("last_pass_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "users",
        sa.Column("id", Id(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("session_epoch", sa.String(length=36), nullable=False),
        sa.Column("disabled_at", Moment(), nullable=True),
        sa.Column("last_login_at", Moment(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.CheckConstraint("role IN ('admin', 'viewer')", name="users_role"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
    )
    op.create_table(
        "api_tokens",
        sa.Column("id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("last_used_at", Moment(), nullable=True),
        sa.Column("revoked_at", Moment(), nullable=True),
        sa.CheckConstraint("role IN ('admin', 'viewer')", name="api_tokens_role"),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_sha256"),
    )
    op.create_index("ix_api_tokens_user_id", "api_tokens", ["user_id"], unique=False)
    op.create_table(
        "model_generation_jobs",
        sa.Column("id", Id(), nullable=False),
        sa.Column("part_id", Id(), nullable=False),
        sa.Column("created_by", Id(), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("selected_image_ids", sa.JSON(), nullable=False),
        sa.Column("selected_image_urls", sa.JSON(), nullable=False),
        sa.Column("selected_image_metadata", sa.JSON(), nullable=False),
        sa.Column("generation_config", sa.JSON(), nullable=False),
        sa.Column("engine", sa.String(length=16), nullable=False),
        sa.Column("engine_base", sa.Text(), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("meshy_task_id", sa.Text(), nullable=True),
        sa.Column("task_expires_at", Moment(), nullable=True),
        sa.Column("has_result", sa.Boolean(), nullable=False),
        sa.Column("needs_cleanup", sa.Boolean(), nullable=False),
        sa.Column("generation_report", sa.JSON(), nullable=True),
        sa.Column("raw_model_url", sa.Text(), nullable=True),
        sa.Column("raw_storage_path", sa.Text(), nullable=True),
        sa.Column("raw_file_size_bytes", sa.Integer(), nullable=True),
        sa.Column("optimized_model_url", sa.Text(), nullable=True),
        sa.Column("optimized_file_size_bytes", sa.Integer(), nullable=True),
        sa.Column("polycount", sa.Integer(), nullable=True),
        sa.Column("meshy_credits_used", sa.Integer(), nullable=True),
        sa.Column("estimated_credits", sa.Integer(), nullable=False),
        sa.Column("processing_duration_seconds", sa.Double(), nullable=True),
        sa.Column("optimization_duration_seconds", sa.Double(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("waiting_for", sa.Text(), nullable=True),
        sa.Column("retry_count", sa.Integer(), nullable=False),
        sa.Column("snooze_count", sa.Integer(), nullable=False),
        sa.Column("next_at", Moment(), nullable=False),
        sa.Column("deadline_at", Moment(), nullable=True),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", Moment(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("submitted_at", Moment(), nullable=True),
        sa.Column("processing_started_at", Moment(), nullable=True),
        sa.Column("completed_at", Moment(), nullable=True),
        sa.CheckConstraint(
            f"{LIVE} OR status IN ('complete', 'failed', 'canceled')",
            name="model_generation_jobs_status",
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["users.id"],
        ),
        sa.ForeignKeyConstraint(
            ["part_id"],
            ["parts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    to_do = sa.text(f"{LIVE} OR needs_cleanup")
    op.create_index(
        "ix_model_generation_jobs_due",
        "model_generation_jobs",
        ["next_at"],
        sqlite_where=to_do,
        postgresql_where=to_do,
    )
    op.create_index(
        "ix_model_generation_jobs_meshy_task_id", "model_generation_jobs", ["meshy_task_id"], unique=False
    )
    op.create_index("ix_model_generation_jobs_part_id", "model_generation_jobs", ["part_id"], unique=False)
    op.create_index("ix_model_generation_jobs_status", "model_generation_jobs", ["status"], unique=False)
    _partial_unique("ux_model_generation_jobs_live_part", "model_generation_jobs", ["part_id"], LIVE)
    op.create_table(
        "part_images",
        sa.Column("id", Id(), nullable=False),
        sa.Column("part_id", Id(), nullable=False),
        sa.Column("image_url", sa.Text(), nullable=False),
        sa.Column("storage_path", sa.Text(), nullable=True),
        sa.Column("thumbnail_path", sa.Text(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("file_size_bytes", sa.Integer(), nullable=True),
        sa.Column("width_px", sa.Integer(), nullable=True),
        sa.Column("height_px", sa.Integer(), nullable=True),
        sa.Column("mime_type", sa.String(length=64), nullable=True),
        sa.Column("display_order", sa.Integer(), nullable=False),
        sa.Column("alt_text", sa.Text(), nullable=True),
        sa.Column("caption", sa.Text(), nullable=True),
        sa.Column("angle_label", sa.String(length=16), nullable=True),
        sa.Column("is_selected_for_3d_generation", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", Moment(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.CheckConstraint(
            "angle_label IN ('front', 'back', 'left', 'right', 'top', 'bottom')",
            name="part_images_angle_label",
        ),
        sa.CheckConstraint("display_order BETWEEN -6 AND 5", name="part_images_display_order"),
        sa.ForeignKeyConstraint(
            ["part_id"],
            ["parts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_part_images_part_id", "part_images", ["part_id"], unique=False)
    op.create_index(
        "ix_part_images_part_id_is_selected",
        "part_images",
        ["part_id", "is_selected_for_3d_generation"],
        unique=False,
    )
    _partial_unique(
        "ux_part_images_part_id_display_order",
        "part_images",
        ["part_id", "display_order"],
        "deleted_at IS NULL",
    )
    op.create_table(
        "generation_attempts",
        sa.Column("id", Id(), nullable=False),
        sa.Column("job_id", Id(), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("params_sha256", sa.String(length=64), nullable=False),
        sa.Column("task_id", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("sent_at", Moment(), nullable=True),
        sa.Column("unknown_at", Moment(), nullable=True),
        sa.Column("settled_at", Moment(), nullable=True),
        sa.CheckConstraint(
            "state IN ('sending', 'unknown', 'accepted', 'refused')", name="generation_attempts_state"
        ),
        sa.ForeignKeyConstraint(
            ["job_id"],
            ["model_generation_jobs.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_generation_attempts_job_id", "generation_attempts", ["job_id"], unique=False)
    _partial_unique(
        "ux_generation_attempts_account_in_flight",
        "generation_attempts",
        ["account"],
        "state IN ('sending', 'unknown')",
    )
    _partial_unique(
        "ux_generation_attempts_task_id", "generation_attempts", ["account", "task_id"], "task_id IS NOT NULL"
    )
    op.create_table(
        "job_events",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("job_id", Id(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("from_status", sa.String(length=16), nullable=True),
        sa.Column("to_status", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["job_id"],
            ["model_generation_jobs.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_job_events_job_id", "job_events", ["job_id"], unique=False)
    op.create_table(
        "model_versions",
        sa.Column("id", Id(), nullable=False),
        sa.Column("part_id", Id(), nullable=False),
        sa.Column("job_id", Id(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("storage_path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("file_size_bytes", sa.Integer(), nullable=False),
        sa.Column("polycount", sa.Integer(), nullable=True),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("published_at", Moment(), nullable=True),
        sa.Column("published_by", Id(), nullable=True),
        sa.CheckConstraint(
            "state IN ('draft', 'published', 'superseded', 'rejected')", name="model_versions_state"
        ),
        sa.ForeignKeyConstraint(
            ["job_id"],
            ["model_generation_jobs.id"],
        ),
        sa.ForeignKeyConstraint(
            ["part_id"],
            ["parts.id"],
        ),
        sa.ForeignKeyConstraint(
            ["published_by"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_model_versions_job_id", "model_versions", ["job_id"], unique=False)
    op.create_index("ux_model_versions_part_id_number", "model_versions", ["part_id", "number"], unique=True)
    _partial_unique("ux_model_versions_published_part", "model_versions", ["part_id"], "state = 'published'")

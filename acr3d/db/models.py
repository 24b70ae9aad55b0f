"""The schema. Words that a column may hold are in `generation.states`; rules are in the rooms that write."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from flask_login import UserMixin
from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, false, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry, relationship

from acr3d.db.types import Id, Moment, new_id, utc_now
from acr3d.jobs.states import LIVE, AttemptState, ModelStatus, Pause, Status, VersionState

ANGLES = ("front", "back", "left", "right", "top", "bottom")
MODEL_LEVELS = ("web", "light", "full")
ROLES = ("admin", "viewer")


class Base(DeclarativeBase):
    # On the registry, since Flask-SQLAlchemy makes its own base class from this one.
    registry = registry(
        type_annotation_map={
            datetime: Moment,
            dict[str, Any]: JSON,
            list[str]: JSON,
            list[dict[str, Any]]: JSON,
        }
    )


def _one_of(column: str, words: type[StrEnum] | tuple[str, ...], name: str) -> CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=name)


def _where(condition: str) -> dict[str, Any]:
    """What makes an index a partial one, on either database."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def _partial_unique(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, unique=True, **_where(where))


_LIVE_SQL = "status IN ({})".format(", ".join(f"'{s}'" for s in Status if s in LIVE))

_TO_DO_SQL = f"{_LIVE_SQL} OR needs_cleanup"
# Jobs that somebody has still to move, in the very words of the index: only so do databases use it.
TO_DO = text(f"({_TO_DO_SQL})")


class User(UserMixin, Base):  # type: ignore[misc]  # flask-login has no types
    __tablename__ = "users"
    __table_args__ = (_one_of("role", ROLES, "users_role"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16))
    must_change_password: Mapped[bool] = mapped_column(default=False)
    # Part of every session's identity: a new value ends all of the user's sessions.
    session_epoch: Mapped[str] = mapped_column(String(36), default=new_id)
    disabled_at: Mapped[datetime | None]
    last_login_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    @property
    def is_active(self) -> bool:
        return self.disabled_at is None

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"

    def get_id(self) -> str:
        """What a session of this user says; no longer true after the next `session_epoch`."""
        return f"{self.id}:{self.session_epoch}"


class ApiToken(Base):
    __tablename__ = "api_tokens"
    __table_args__ = (_one_of("role", ROLES, "api_tokens_role"), Index("ix_api_tokens_user_id", "user_id"))

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="joined")


class Part(Base):
    __tablename__ = "parts"
    __table_args__ = (
        _one_of("model_status", ModelStatus, "parts_model_status"),
        _partial_unique("ux_parts_sku_key", "sku_key", where="deleted_at IS NULL"),
        Index("ix_parts_model_status", "model_status"),
        Index("ix_parts_check_due_at", "check_due_at", **_where("check_due_at IS NOT NULL")),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    sku: Mapped[str] = mapped_column(Text)
    sku_key: Mapped[str] = mapped_column(Text)  # the SKU without case: what must be unique
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    image_url: Mapped[str | None] = mapped_column(Text)  # the earlier design's one picture, kept as it came
    width_mm: Mapped[float | None]
    height_mm: Mapped[float | None]
    depth_mm: Mapped[float | None]
    is_published: Mapped[bool] = mapped_column(default=True)
    primary_image_url: Mapped[str | None] = mapped_column(Text)
    model_status: Mapped[str] = mapped_column(String(16), default=ModelStatus.NONE)
    model_3d_url: Mapped[str | None] = mapped_column(Text)
    model_generation_started_at: Mapped[datetime | None]
    model_generation_completed_at: Mapped[datetime | None]
    model_generation_error: Mapped[str | None] = mapped_column(Text)
    meshy_task_id: Mapped[str | None] = mapped_column(Text)
    # When somebody is to look at the photos again; while somebody does, until when the others leave it alone.
    check_due_at: Mapped[datetime | None]
    # Counts the changes that an open page wants to hear of.
    revision: Mapped[int] = mapped_column(default=1)
    deleted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)


class PartImage(Base):
    __tablename__ = "part_images"
    __table_args__ = (
        _one_of("angle_label", ANGLES, "part_images_angle_label"),
        # Below zero only inside a reordering transaction, whose first phase clears the places.
        CheckConstraint("display_order BETWEEN -6 AND 5", name="part_images_display_order"),
        _partial_unique(
            "ux_part_images_part_id_display_order", "part_id", "display_order", where="deleted_at IS NULL"
        ),
        Index("ix_part_images_part_id", "part_id"),
        Index("ix_part_images_part_id_is_selected", "part_id", "is_selected_for_3d_generation"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    part_id: Mapped[str] = mapped_column(ForeignKey("parts.id"))
    image_url: Mapped[str] = mapped_column(Text)
    # Null while an adopted remote picture is still to be imported; so are its facts.
    storage_path: Mapped[str | None] = mapped_column(Text)
    thumbnail_path: Mapped[str | None] = mapped_column(Text)
    sha256: Mapped[str | None] = mapped_column(String(64))
    file_size_bytes: Mapped[int | None]
    width_px: Mapped[int | None]
    height_px: Mapped[int | None]
    mime_type: Mapped[str | None] = mapped_column(String(64))
    display_order: Mapped[int]
    alt_text: Mapped[str | None] = mapped_column(Text)
    caption: Mapped[str | None] = mapped_column(Text)
    angle_label: Mapped[str | None] = mapped_column(String(16))
    is_selected_for_3d_generation: Mapped[bool] = mapped_column(default=False)
    deleted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)

    part: Mapped[Part] = relationship(lazy="raise")


class PhotoCheck(Base):
    """What the last check of a part's photos found; it holds for the photos and labels it was made of."""

    __tablename__ = "photo_checks"

    part_id: Mapped[str] = mapped_column(ForeignKey("parts.id"), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))  # of photos and labels
    report: Mapped[dict[str, Any]]  # the child's; empty when it broke off
    checked_at: Mapped[datetime]


class Job(Base):
    __tablename__ = "model_generation_jobs"
    __table_args__ = (
        _one_of("status", Status, "model_generation_jobs_status"),
        _partial_unique("ux_model_generation_jobs_live_part", "part_id", where=_LIVE_SQL),
        Index("ix_model_generation_jobs_part_id", "part_id"),
        Index("ix_model_generation_jobs_status", "status"),
        Index("ix_model_generation_jobs_meshy_task_id", "meshy_task_id"),
        # The poller's question, kept small however many jobs have ended.
        Index(
            "ix_model_generation_jobs_due",
            "next_at",
            sqlite_where=text(_TO_DO_SQL),
            postgresql_where=text(_TO_DO_SQL),
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    part_id: Mapped[str] = mapped_column(ForeignKey("parts.id"))
    created_by: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    status: Mapped[str] = mapped_column(String(16), default=Status.PENDING)
    progress: Mapped[int] = mapped_column(default=0)

    # The inputs, frozen: photos may be deleted, replaced or relabelled meanwhile.
    selected_image_ids: Mapped[list[str]]
    selected_image_urls: Mapped[list[str]]
    selected_image_metadata: Mapped[list[dict[str, Any]]]  # {id, url, angle, storage_path}
    generation_config: Mapped[dict[str, Any]]
    # The job whose raw model this one optimizes again; it orders nothing, and never publishes itself.
    optimized_from: Mapped[str | None] = mapped_column(ForeignKey("model_generation_jobs.id"))

    # Where it is submitted; when these no longer match the settings, the job waits.
    engine: Mapped[str] = mapped_column(String(16))
    engine_base: Mapped[str] = mapped_column(Text)
    account: Mapped[str] = mapped_column(String(64))  # a fingerprint, never the key
    meshy_task_id: Mapped[str | None] = mapped_column(Text)
    task_expires_at: Mapped[datetime | None]
    task_missing_since: Mapped[datetime | None]  # the engine says that it does not know the task
    # The engine has finished, and the raw GLB is to fetch; of a failed job: once more, for it was refused.
    has_result: Mapped[bool] = mapped_column(default=False)
    needs_cleanup: Mapped[bool] = mapped_column(default=False)  # canceled; its task is to be taken back

    generation_report: Mapped[dict[str, Any] | None]  # what the built-in engine saw and guessed
    raw_model_url: Mapped[str | None] = mapped_column(Text)
    raw_storage_path: Mapped[str | None] = mapped_column(Text)
    raw_file_size_bytes: Mapped[int | None]
    optimized_model_url: Mapped[str | None] = mapped_column(Text)
    optimized_file_size_bytes: Mapped[int | None]
    polycount: Mapped[int | None]
    meshy_credits_used: Mapped[int | None]  # the sum of what the ledger knows of its tasks
    estimated_credits: Mapped[int] = mapped_column(default=0)
    processing_duration_seconds: Mapped[float | None]
    optimization_duration_seconds: Mapped[float | None]

    error_message: Mapped[str | None] = mapped_column(Text)
    input_refused: Mapped[bool] = mapped_column(default=False)  # the same photos would be refused again
    waiting_for: Mapped[str | None] = mapped_column(Text)  # why a live job does not move, for people
    retry_count: Mapped[int] = mapped_column(default=0)  # our own failures in the present step
    snooze_count: Mapped[int] = mapped_column(default=0)  # fruitless looks since the last change
    next_at: Mapped[datetime] = mapped_column(default=utc_now)
    deadline_at: Mapped[datetime | None]  # from the submit on
    lease_owner: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[datetime | None]

    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    submitted_at: Mapped[datetime | None]
    processing_started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]

    part: Mapped[Part] = relationship(lazy="raise")

    @property
    def is_live(self) -> bool:
        return self.status in LIVE


class Attempt(Base):
    """One try at submitting a job: written before the request goes out."""

    __tablename__ = "generation_attempts"
    __table_args__ = (
        _one_of("state", AttemptState, "generation_attempts_state"),
        # One submit in flight per account: what makes an unknown outcome decidable by listing. One that
        # waits for a person's word no longer counts: no task of a later order can be taken for its own.
        _partial_unique(
            "ux_generation_attempts_account_in_flight",
            "account",
            where="state IN ('sending', 'unknown') AND asked_at IS NULL",
        ),
        _partial_unique("ux_generation_attempts_task_id", "account", "task_id", where="task_id IS NOT NULL"),
        Index("ix_generation_attempts_job_id", "job_id"),
        Index("ix_generation_attempts_task_id", "task_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    job_id: Mapped[str] = mapped_column(ForeignKey("model_generation_jobs.id"))
    account: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), default=AttemptState.SENDING)
    params_sha256: Mapped[str] = mapped_column(String(64))
    task_id: Mapped[str | None] = mapped_column(Text)
    detail: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    sent_at: Mapped[datetime | None]
    unknown_at: Mapped[datetime | None]  # since when we know that no answer will come
    asked_at: Mapped[datetime | None]  # since when only a person can say which task it made, if any
    removal_asked_at: Mapped[datetime | None]  # written before its task, still waiting, was to be deleted
    settled_at: Mapped[datetime | None]


class StrayTask(Base):
    """A task in an engine's account that belongs to no attempt of ours, as it was when last seen there.

    Columns that describe it are as the engine tells them (`generation.task`); no address is kept.
    """

    __tablename__ = "stray_tasks"
    __table_args__ = (
        Index("ux_stray_tasks_account_task_id", "account", "task_id", unique=True),
        Index("ix_stray_tasks_maybe_job_id", "maybe_job_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    account: Mapped[str] = mapped_column(String(64))
    task_id: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    progress: Mapped[int]
    texture_prompt: Mapped[str] = mapped_column(Text)
    has_thumbnail: Mapped[bool]
    consumed_credits: Mapped[int | None]
    made_at: Mapped[datetime | None]  # by the engine's clock
    expires_at: Mapped[datetime | None]
    maybe_job_id: Mapped[str | None] = mapped_column(ForeignKey("model_generation_jobs.id"))
    first_seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    deleting_until: Mapped[datetime | None]  # somebody is deleting it at the engine; runs out by itself
    dismissed_at: Mapped[datetime | None]  # a person said that it is none of ours, or deleted it
    dismissed_by: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    is_deleted: Mapped[bool] = mapped_column(default=False, server_default=false())

    dismisser: Mapped[User | None] = relationship(lazy="raise")


class Account(Base):
    """What we know of one account at an engine. The key itself is nowhere in the database."""

    __tablename__ = "engine_accounts"
    __table_args__ = (_one_of("pause", Pause, "engine_accounts_pause"),)

    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    engine: Mapped[str] = mapped_column(String(16))
    pause: Mapped[str | None] = mapped_column(String(16))  # why nothing is submitted to it
    paused_at: Mapped[datetime | None]
    look_at: Mapped[datetime] = mapped_column(default=utc_now)  # when it is looked at again
    looks: Mapped[int] = mapped_column(default=0)  # fruitless ones since the last order that it took
    balance: Mapped[int | None]  # credits
    balance_at: Mapped[datetime | None]


class CreditEntry(Base):
    """What one order takes from an account: estimated when it is asked for, told by its task afterwards."""

    __tablename__ = "credit_entries"
    __table_args__ = (
        _partial_unique("ux_credit_entries_task_id", "account", "task_id", where="task_id IS NOT NULL"),
        # A job wants one order at a time.
        _partial_unique("ux_credit_entries_job_id_unsent", "job_id", where="task_id IS NULL"),
        Index("ix_credit_entries_job_id", "job_id"),
        Index("ix_credit_entries_day", "day"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    job_id: Mapped[str] = mapped_column(ForeignKey("model_generation_jobs.id"))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))  # who asked for the order
    account: Mapped[str] = mapped_column(String(64))
    task_id: Mapped[str | None] = mapped_column(Text)  # null until the account took the order
    estimated: Mapped[int]
    spent: Mapped[int | None]  # null until somebody has told; 0 when it was given back
    day: Mapped[str] = mapped_column(String(10))  # of the order, or else of the wish; UTC
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    settled_at: Mapped[datetime | None]


class ModelVersion(Base):
    """One finished model of a part. A new one never overwrites an old one."""

    __tablename__ = "model_versions"
    __table_args__ = (
        _one_of("state", VersionState, "model_versions_state"),
        _partial_unique("ux_model_versions_published_part", "part_id", where="state = 'published'"),
        Index("ux_model_versions_part_id_number", "part_id", "number", unique=True),
        Index("ix_model_versions_job_id", "job_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    part_id: Mapped[str] = mapped_column(ForeignKey("parts.id"))
    job_id: Mapped[str] = mapped_column(ForeignKey("model_generation_jobs.id"))
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(16), default=VersionState.DRAFT)
    level: Mapped[str] = mapped_column(String(16), default="web", server_default="web")
    storage_path: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    file_size_bytes: Mapped[int]
    # The same model in core glTF, for Android's Scene Viewer; null where that cannot be.
    ar_storage_path: Mapped[str | None] = mapped_column(Text)
    ar_sha256: Mapped[str | None] = mapped_column(String(64))
    ar_file_size_bytes: Mapped[int | None]
    polycount: Mapped[int | None]
    poster_path: Mapped[str | None] = mapped_column(Text)  # null where none could be drawn
    report: Mapped[dict[str, Any]]  # the optimizer's, what the engine guessed, the poster's camera
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    published_at: Mapped[datetime | None]
    published_by: Mapped[str | None] = mapped_column(ForeignKey("users.id"))


class JobEvent(Base):
    """The history of a job: one row a transition."""

    __tablename__ = "job_events"
    __table_args__ = (Index("ix_job_events_job_id", "job_id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("model_generation_jobs.id"))
    at: Mapped[datetime] = mapped_column(default=utc_now)
    actor: Mapped[str] = mapped_column(Text)  # an email address, or "poller"
    from_status: Mapped[str | None] = mapped_column(String(16))
    to_status: Mapped[str] = mapped_column(String(16))
    detail: Mapped[str | None] = mapped_column(Text)


class Poller(Base):
    """One running poller; when no row's last pass is of late, nobody moves the jobs."""

    __tablename__ = "pollers"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    host: Mapped[str] = mapped_column(Text)
    pid: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)  # when its last pass began
    last_pass_at: Mapped[datetime | None]  # when one came through to its end

"""Generation jobs, their history, and the models they made."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, exists, text
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, aliased, column_property, mapped_column, relationship

from acr3d.db.models.base import Base, one_of, only_where, partial_unique
from acr3d.db.models.message_columns import MESSAGE_PARAMS, MessageColumns
from acr3d.db.models.parts import Part
from acr3d.db.states import LIVE, STEPS, NextStep, Status, VersionState
from acr3d.db.types import Id, new_id, utc_now

MODEL_LEVELS = ("web", "light", "full")

_LIVE_SQL = "status IN ({})".format(", ".join(f"'{s}'" for s in Status if s in LIVE))

_HAS_NEXT_STEP_SQL = f"next_step <> '{NextStep.NONE}'"
# Jobs that the poller still has to move, in the exact words of the index: databases use the index only then.
HAS_NEXT_STEP = text(f"({_HAS_NEXT_STEP_SQL})")


def _steps_sql() -> str:
    """Which next step may go with which status."""
    pairs = (
        "(status = '{}' AND next_step IN ({}))".format(status, ", ".join(f"'{step}'" for step in steps))
        for status, steps in STEPS.items()
    )
    return " OR ".join(pairs)


def _usual_step(context: DefaultExecutionContext) -> str:
    """A new job begins with the usual step of its status."""
    values = context.get_current_parameters()  # type: ignore[no-untyped-call]
    return STEPS[Status(values["status"])][0]


class Job(Base):
    __tablename__ = "model_generation_jobs"
    __table_args__ = (
        one_of("status", Status, "model_generation_jobs_status"),
        CheckConstraint(_steps_sql(), name="model_generation_jobs_next_step"),
        partial_unique("ux_model_generation_jobs_live_part", "part_id", where=_LIVE_SQL),
        Index("ix_model_generation_jobs_part_id", "part_id"),
        Index("ix_model_generation_jobs_status", "status"),
        Index("ix_model_generation_jobs_meshy_task_id", "meshy_task_id"),
        # For the poller's search for due jobs; stays small however many jobs have ended.
        Index("ix_model_generation_jobs_due", "next_at", **only_where(_HAS_NEXT_STEP_SQL)),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    part_id: Mapped[str] = mapped_column(ForeignKey("parts.id"))
    created_by: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    status: Mapped[str] = mapped_column(String(16), default=Status.PENDING)
    next_step: Mapped[str] = mapped_column(String(16), default=_usual_step)
    progress: Mapped[int] = mapped_column(default=0)

    # Frozen copies of the inputs: photos may be deleted, replaced or relabelled later.
    selected_image_ids: Mapped[list[str]]
    selected_image_urls: Mapped[list[str]]
    selected_image_metadata: Mapped[list[dict[str, Any]]]  # {id, url, angle, storage_path}
    # The captures that it is made of instead of photos: one or two, by position.
    capture_ids: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    generation_config: Mapped[dict[str, Any]]
    # The job whose raw model this one optimizes again; it orders nothing and never publishes itself.
    optimized_from: Mapped[str | None] = mapped_column(ForeignKey("model_generation_jobs.id"))

    # Where it is submitted. When these no longer match the settings, the job waits.
    engine: Mapped[str] = mapped_column(String(16))
    engine_base: Mapped[str] = mapped_column(Text)
    account: Mapped[str] = mapped_column(String(64))  # a fingerprint, never the key
    meshy_task_id: Mapped[str | None] = mapped_column(Text)
    task_expires_at: Mapped[datetime | None]
    task_missing_since: Mapped[datetime | None]  # since when the engine does not know the task

    generation_report: Mapped[dict[str, Any] | None]  # what the built-in engine measured and guessed
    raw_model_url: Mapped[str | None] = mapped_column(Text)
    raw_storage_path: Mapped[str | None] = mapped_column(Text)
    raw_file_size_bytes: Mapped[int | None]
    optimized_model_url: Mapped[str | None] = mapped_column(Text)
    optimized_file_size_bytes: Mapped[int | None]
    polycount: Mapped[int | None]
    meshy_credits_used: Mapped[int | None]  # the sum of its tasks' credits in the ledger
    estimated_credits: Mapped[int] = mapped_column(default=0)
    processing_duration_seconds: Mapped[float | None]
    optimization_duration_seconds: Mapped[float | None]

    error_message: Mapped[str | None] = mapped_column(Text)
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_params: Mapped[dict[str, Any] | None] = mapped_column(MESSAGE_PARAMS)
    input_refused: Mapped[bool] = mapped_column(default=False)  # the same photos would be refused again
    # A failed job's raw GLB was refused by the optimizer: a retry downloads it once more while it is there.
    raw_refused: Mapped[bool] = mapped_column(default=False)
    waiting_for: Mapped[str | None] = mapped_column(Text)  # why a live job does not move
    waiting_code: Mapped[str | None] = mapped_column(String(64))
    waiting_params: Mapped[dict[str, Any] | None] = mapped_column(MESSAGE_PARAMS)
    retry_count: Mapped[int] = mapped_column(default=0)  # our own failures in the current step
    snooze_count: Mapped[int] = mapped_column(default=0)  # polls without news since the last change
    next_at: Mapped[datetime] = mapped_column(default=utc_now)
    deadline_at: Mapped[datetime | None]  # counted from the submit
    lease_owner: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[datetime | None]

    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    submitted_at: Mapped[datetime | None]
    processing_started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]

    part: Mapped[Part] = relationship(lazy="raise")

    if TYPE_CHECKING:
        # Whether its model is the part's newest and nobody has published or rejected it yet; mapped below.
        waits_for_review: Mapped[bool]

    error = MessageColumns("error_message", "error_code", "error_params")
    waiting = MessageColumns("waiting_for", "waiting_code", "waiting_params")

    @property
    def is_live(self) -> bool:
        return self.status in LIVE


class JobEvent(Base):
    """The history of a job: one row per transition."""

    __tablename__ = "job_events"
    __table_args__ = (Index("ix_job_events_job_id", "job_id"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("model_generation_jobs.id"))
    at: Mapped[datetime] = mapped_column(default=utc_now)
    actor: Mapped[str] = mapped_column(Text)  # an email address, or "poller"
    from_status: Mapped[str | None] = mapped_column(String(16))
    to_status: Mapped[str] = mapped_column(String(16))
    detail: Mapped[str | None] = mapped_column(Text)  # why, or what was done
    detail_code: Mapped[str | None] = mapped_column(String(64))
    detail_params: Mapped[dict[str, Any] | None] = mapped_column(MESSAGE_PARAMS)

    message = MessageColumns("detail", "detail_code", "detail_params")


class ModelVersion(Base):
    """One finished model of a part. A new one never overwrites an old one."""

    __tablename__ = "model_versions"
    __table_args__ = (
        one_of("state", VersionState, "model_versions_state"),
        partial_unique("ux_model_versions_published_part", "part_id", where="state = 'published'"),
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
    # The same model in core glTF, for Android's Scene Viewer; null where that is impossible.
    ar_storage_path: Mapped[str | None] = mapped_column(Text)
    ar_sha256: Mapped[str | None] = mapped_column(String(64))
    ar_file_size_bytes: Mapped[int | None]
    polycount: Mapped[int | None]
    poster_path: Mapped[str | None] = mapped_column(Text)  # null when none could be rendered
    # The model from the sides of its photos, see `render.strip`; null when none could be rendered.
    sides_path: Mapped[str | None] = mapped_column(Text)
    # What admins point out on it, in order: {title, text, position, normal}, both in metres of the model.
    hotspots: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]")
    report: Mapped[dict[str, Any]]  # the optimizer's report, what the engine guessed, the poster's camera
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    published_at: Mapped[datetime | None]
    published_by: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    # An admin's word that the size is right although a side differs from the part's, see `jobs.true_size`.
    size_confirmed_at: Mapped[datetime | None]
    size_confirmed_by: Mapped[str | None] = mapped_column(ForeignKey("users.id"))


_newer = aliased(ModelVersion)
Job.waits_for_review = column_property(
    exists()
    .where(
        ModelVersion.job_id == Job.id,
        ModelVersion.state == VersionState.DRAFT,
        ~exists().where(
            _newer.part_id == ModelVersion.part_id,
            _newer.number > ModelVersion.number,
            _newer.state != VersionState.REJECTED,
        ),
    )
    .correlate_except(ModelVersion, _newer)
)

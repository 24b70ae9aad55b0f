"""What was ordered from an engine, and what is known of its accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from acr3d.db.models.accounts import User
from acr3d.db.models.base import Base, one_of, partial_unique
from acr3d.db.models.message_columns import MESSAGE_PARAMS, MessageColumns
from acr3d.db.states import AttemptState, BreakerCause
from acr3d.db.types import Id, new_id, utc_now


class Attempt(Base):
    """One try at submitting a job: written before the request goes out."""

    __tablename__ = "generation_attempts"
    __table_args__ = (
        one_of("state", AttemptState, "generation_attempts_state"),
        # One submit in flight per account, so that listing the tasks settles an unknown outcome. One that
        # waits for a person's decision no longer counts: a later order's task cannot be mistaken for its own.
        partial_unique(
            "ux_generation_attempts_account_in_flight",
            "account",
            where="state IN ('sending', 'unknown') AND asked_at IS NULL",
        ),
        partial_unique("ux_generation_attempts_task_id", "account", "task_id", where="task_id IS NOT NULL"),
        Index("ix_generation_attempts_job_id", "job_id"),
        Index("ix_generation_attempts_task_id", "task_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    job_id: Mapped[str] = mapped_column(ForeignKey("model_generation_jobs.id"))
    account: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), default=AttemptState.SENDING)
    params_sha256: Mapped[str] = mapped_column(String(64))
    task_id: Mapped[str | None] = mapped_column(Text)
    detail: Mapped[str | None] = mapped_column(Text)  # how its state came about
    detail_code: Mapped[str | None] = mapped_column(String(64))
    detail_params: Mapped[dict[str, Any] | None] = mapped_column(MESSAGE_PARAMS)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    sent_at: Mapped[datetime | None]
    unknown_at: Mapped[datetime | None]  # since when it is certain that no answer will come
    asked_at: Mapped[datetime | None]  # since when only a person can decide which task it made, if any
    removal_asked_at: Mapped[datetime | None]  # written before its waiting task is deleted at the engine
    settled_at: Mapped[datetime | None]

    message = MessageColumns("detail", "detail_code", "detail_params")


class UnmatchedTask(Base):
    """A task in an engine's account that no job follows, as it was when last seen there.

    Columns that describe it are as the engine reports them (`engines.remote_task`). No address is stored.
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
    deleting_until: Mapped[datetime | None]  # a deletion at the engine is running; expires by itself
    dismissed_at: Mapped[datetime | None]  # a person said that it is not ours, or deleted it
    dismissed_by: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    is_deleted: Mapped[bool] = mapped_column(default=False, server_default=false())

    dismisser: Mapped[User | None] = relationship(lazy="raise")


class EngineAccount(Base):
    """One account at an engine. The key itself is never stored in the database."""

    __tablename__ = "engine_accounts"
    __table_args__ = (one_of("pause", BreakerCause, "engine_accounts_pause"),)

    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    engine: Mapped[str] = mapped_column(String(16))
    # Its circuit breaker (acr3d/orders/circuit_breaker.py). None: closed or half-open.
    open_cause: Mapped[str | None] = mapped_column("pause", String(16))
    opened_at: Mapped[datetime | None] = mapped_column("paused_at")
    probe_at: Mapped[datetime] = mapped_column("look_at", default=utc_now)
    probes: Mapped[int] = mapped_column("looks", default=0)  # planned since it last accepted an order
    balance: Mapped[int | None]  # credits
    balance_at: Mapped[datetime | None]
    model: Mapped[str | None] = mapped_column(String(64))  # that an admin chose; null: the environment's
    # What its answers said of a call, or of the model, that will be taken away.
    leaving_since: Mapped[datetime | None]
    leaving_link: Mapped[str | None] = mapped_column(Text)  # empty without one; null: nothing is leaving

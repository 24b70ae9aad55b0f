"""Orders for the models of many parts, and what became of each part."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from acr3d.db.models.base import Base, one_of, only_where
from acr3d.db.states import BatchState
from acr3d.db.types import Id, new_id, utc_now

BATCH_PART_STATES = ("waiting", "ordered", "left_out")


class Batch(Base):
    __tablename__ = "batches"
    __table_args__ = (
        one_of("state", BatchState, "batches_state"),
        Index("ix_batches_running", "id", **only_where("state = 'running'")),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    state: Mapped[str] = mapped_column(String(16), default=BatchState.READY)
    language: Mapped[str] = mapped_column(String(8))  # of the sentences about its parts
    # Chosen once for all its parts, when it is started.
    engine: Mapped[str] = mapped_column(String(16), default="")
    generation_config: Mapped[dict[str, Any]] = mapped_column(default=dict)
    credits_each: Mapped[int] = mapped_column(default=0)  # the price that was agreed to
    problem: Mapped[str] = mapped_column(Text, default="")  # why it pauses, as a sentence
    # Who prepared it; from its start on who started it, with whose limit and in whose name it orders.
    created_by: Mapped[str] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class BatchPart(Base):
    __tablename__ = "batch_parts"
    __table_args__ = (
        one_of("state", BATCH_PART_STATES, "batch_parts_state"),
        Index("ix_batch_parts_state", "batch_id", "state", "number"),
        Index("ix_batch_parts_job_id", "job_id", **only_where("job_id IS NOT NULL")),
    )

    batch_id: Mapped[str] = mapped_column(ForeignKey("batches.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    part_id: Mapped[str] = mapped_column(ForeignKey("parts.id"))
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    doubts: Mapped[list[str]] = mapped_column(default=list)  # of its photos, as sentences
    problem: Mapped[str] = mapped_column(Text, default="")  # why it was left out
    job_id: Mapped[str | None] = mapped_column(ForeignKey("model_generation_jobs.id"))

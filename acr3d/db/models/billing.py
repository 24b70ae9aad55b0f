"""What orders cost."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from acr3d.db.models.base import Base, partial_unique
from acr3d.db.types import Id, new_id, utc_now


class CreditEntry(Base):
    """The credits of one order: estimated when it is requested, known from its task afterwards."""

    __tablename__ = "credit_entries"
    __table_args__ = (
        partial_unique("ux_credit_entries_task_id", "account", "task_id", where="task_id IS NOT NULL"),
        # A job has at most one order that is not sent yet.
        partial_unique("ux_credit_entries_job_id_unsent", "job_id", where="task_id IS NULL"),
        Index("ix_credit_entries_job_id", "job_id"),
        Index("ix_credit_entries_day", "day"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    job_id: Mapped[str] = mapped_column(ForeignKey("model_generation_jobs.id"))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))  # who requested the order
    account: Mapped[str] = mapped_column(String(64))
    task_id: Mapped[str | None] = mapped_column(Text)  # null until the engine accepted the order
    estimated: Mapped[int]
    spent: Mapped[int | None]  # null until it is known; 0 when it was refunded
    day: Mapped[str] = mapped_column(String(10))  # of the order, or of the request until it is sent; UTC
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    settled_at: Mapped[datetime | None]

"""Notices: what people should hear of, and who has been told how much of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from acr3d.db.models.base import Base, one_of
from acr3d.db.types import utc_now

NOTICE_KINDS = ("failed", "review", "balance", "budget", "poller")


class Notice(Base):
    """One thing to hear of; each only once, by `key`."""

    __tablename__ = "notices"
    __table_args__ = (one_of("kind", NOTICE_KINDS, "notices_kind"), Index("ix_notices_at", "at"))

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(default=utc_now)
    kind: Mapped[str] = mapped_column(String(16))
    key: Mapped[str] = mapped_column(String(120), unique=True)
    job_id: Mapped[str | None] = mapped_column(ForeignKey("model_generation_jobs.id"))
    label: Mapped[str] = mapped_column(Text, default="")  # of an engine's account: the engine
    number: Mapped[int | None]  # credits


class NoticeOutlet(Base):
    """Where notices are sent to, and up to which one they have been sent."""

    __tablename__ = "notice_outlets"

    name: Mapped[str] = mapped_column(String(36), primary_key=True)  # a user's id, or "webhook"
    sent_id: Mapped[int]  # the last notice that was sent, or that was there before
    next_at: Mapped[datetime] = mapped_column(default=utc_now)  # not earlier; or another process sends
    failures: Mapped[int] = mapped_column(default=0)  # since the last success
    problem: Mapped[str] = mapped_column(Text, default="")  # why the last one failed, in English

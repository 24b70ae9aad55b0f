"""The log: who changed what, written in the transaction of the change (`db.change_log`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from acr3d.db.models.base import Base, one_of
from acr3d.db.types import utc_now

LOG_KINDS = ("part", "photo", "model", "job", "category", "account", "token", "setting")
LOG_ACTIONS = ("created", "changed", "deleted", "restored")


class LogEntry(Base):
    """One thing that was changed. Its part is named by `part_id`, anything else by `label`."""

    __tablename__ = "log_entries"
    __table_args__ = (
        one_of("kind", LOG_KINDS, "log_entries_kind"),
        one_of("action", LOG_ACTIONS, "log_entries_action"),
        Index("ix_log_entries_at", "at"),
        Index("ix_log_entries_part_id", "part_id"),
        Index("ix_log_entries_actor", "actor"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(default=utc_now)
    actor: Mapped[str] = mapped_column(String(254))  # an email address; empty: the server or its command line
    kind: Mapped[str] = mapped_column(String(16))
    action: Mapped[str] = mapped_column(String(16))
    part_id: Mapped[str | None] = mapped_column(ForeignKey("parts.id"))
    label: Mapped[str] = mapped_column(Text)
    changes: Mapped[dict[str, Any]]  # {field: [before, after]}

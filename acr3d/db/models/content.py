"""What customers' pages depend on, as one value."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from acr3d.db.models.base import Base
from acr3d.db.types import new_id, utc_now

ONLY_ROW = 1


class ContentStamp(Base):
    """One row at most: a `stamp` that is new after every change of what customers may see."""

    __tablename__ = "content_stamp"
    __table_args__ = (CheckConstraint(f"id = {ONLY_ROW}", name="content_stamp_id"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=ONLY_ROW)
    stamp: Mapped[str] = mapped_column(String(36), default=new_id)
    changed_at: Mapped[datetime] = mapped_column(default=utc_now)
    shows_at: Mapped[datetime | None] = mapped_column()
    """When changes since then show; None while there are none."""

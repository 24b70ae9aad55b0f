"""Running job pollers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from acr3d.db.models.base import Base
from acr3d.db.types import utc_now


class Poller(Base):
    """One running poller. When no row has a recent pass, no jobs are moving."""

    __tablename__ = "pollers"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    host: Mapped[str] = mapped_column(Text)
    pid: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)  # when its last pass began
    last_pass_at: Mapped[datetime | None]  # when a pass last ended without an error

"""What somebody did to many parts at once, so that it can be undone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from acr3d.db.models.base import Base, one_of
from acr3d.db.types import Id, new_id, utc_now

BULK_ACTIONS = ("publish", "unpublish", "category", "label", "delete")


class BulkChange(Base):
    __tablename__ = "bulk_changes"
    __table_args__ = (one_of("action", BULK_ACTIONS, "bulk_changes_action"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    action: Mapped[str] = mapped_column(String(16))
    made_by: Mapped[str] = mapped_column(ForeignKey("users.id"))
    # {part id: {"before", "after"}} of the field that was changed; of labelled photos, {photo id: side} in
    # "after"; of deleted parts, nothing.
    changes: Mapped[dict[str, Any]]
    made_at: Mapped[datetime] = mapped_column(default=utc_now)
    undone_at: Mapped[datetime | None]

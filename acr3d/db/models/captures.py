"""Spin captures: the files that somebody films or photographs, and what is kept of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from acr3d.db.models.base import Base, one_of, only_where
from acr3d.db.models.message_columns import MESSAGE_PARAMS, MessageColumns
from acr3d.db.states import CaptureState
from acr3d.db.types import Id, new_id, utc_now

POSITIONS = (1, 2)
"""As the part usually lies, and on another side."""
BLOB_KINDS = ("piece", "frame", "cameras")


class Capture(Base):
    """A part on the capture sheet, in one position: from the upload to frames with their cameras."""

    __tablename__ = "captures"
    __table_args__ = (
        one_of("state", CaptureState, "captures_state"),
        CheckConstraint("position IN (1, 2)", name="captures_position"),
        Index("ix_captures_part_id", "part_id"),
        Index("ix_captures_due_at", "due_at", **only_where("due_at IS NOT NULL")),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    part_id: Mapped[str] = mapped_column(ForeignKey("parts.id"))
    position: Mapped[int]
    state: Mapped[str] = mapped_column(String(16), default=CaptureState.UPLOADING)
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)  # see `captures.report`
    problem_text: Mapped[str | None] = mapped_column(Text)  # why it was refused
    problem_code: Mapped[str | None] = mapped_column(String(64))
    problem_params: Mapped[dict[str, Any] | None] = mapped_column(MESSAGE_PARAMS)
    tries: Mapped[int] = mapped_column(default=0)  # readings begun, but those that only had to wait
    # When it is due; while a poller reads it, until when the others leave it alone.
    due_at: Mapped[datetime | None]
    created_by: Mapped[str] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    touched_at: Mapped[datetime] = mapped_column(default=utc_now)  # when a piece of a file came last

    problem = MessageColumns("problem_text", "problem_code", "problem_params")


class CaptureFile(Base):
    """One file of a capture, and how much of it is here."""

    __tablename__ = "capture_files"
    __table_args__ = (UniqueConstraint("capture_id", "number", name="ux_capture_files_capture_id_number"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    capture_id: Mapped[str] = mapped_column(ForeignKey("captures.id"))
    number: Mapped[int]
    name: Mapped[str] = mapped_column(Text)
    size_bytes: Mapped[int]
    received_bytes: Mapped[int] = mapped_column(default=0)


class CaptureBlob(Base):
    """A stored piece of a file until it is read; then a kept frame, or the cameras of all frames."""

    __tablename__ = "capture_blobs"
    __table_args__ = (
        one_of("kind", BLOB_KINDS, "capture_blobs_kind"),
        Index("ix_capture_blobs_capture_id", "capture_id"),
        Index("ix_capture_blobs_part_id", "part_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    capture_id: Mapped[str] = mapped_column(ForeignKey("captures.id"))
    part_id: Mapped[str] = mapped_column(ForeignKey("parts.id"))
    kind: Mapped[str] = mapped_column(String(16))
    file_number: Mapped[int] = mapped_column(default=0)  # of a piece: its file
    number: Mapped[int]  # of a piece: where it begins in its file; of a frame: its place
    storage_path: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))

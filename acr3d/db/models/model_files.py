"""A finished model in further formats, made once and kept."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from acr3d.db.models.base import Base, one_of
from acr3d.db.types import Id, new_id, utc_now

FILE_FORMATS = ("light", "stl", "usdz")
"""`light`: the GLB of the optimizer's level for phones."""


class ModelFile(Base):
    """A model version in another format; without a path if it cannot be written in it."""

    __tablename__ = "model_files"
    __table_args__ = (
        one_of("format", FILE_FORMATS, "model_files_format"),
        UniqueConstraint("version_id", "format", name="ux_model_files_version_id_format"),
        Index("ix_model_files_part_id", "part_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    version_id: Mapped[str] = mapped_column(ForeignKey("model_versions.id"))
    part_id: Mapped[str] = mapped_column(ForeignKey("parts.id"))
    format: Mapped[str] = mapped_column(String(8))
    storage_path: Mapped[str | None] = mapped_column(Text)
    sha256: Mapped[str | None] = mapped_column(String(64))
    file_size_bytes: Mapped[int] = mapped_column(default=0)
    tries: Mapped[int] = mapped_column(default=0, server_default="0")  # that failed
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

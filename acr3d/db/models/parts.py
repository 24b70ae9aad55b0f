"""Parts, their photos, and what the photo check found."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from acr3d.db.models.base import Base, one_of, only_where, partial_unique
from acr3d.db.models.facts import AVAILABILITIES, CONDITIONS, Category, PartFitment, PartNumber
from acr3d.db.models.message_columns import MESSAGE_PARAMS, MessageColumns
from acr3d.db.states import ModelStatus
from acr3d.db.types import Id, Thousandths, new_id, utc_now

ANGLES = ("front", "back", "left", "right", "top", "bottom")
BACKGROUNDS = ("taken", "white")
"""What customers see behind a part: what was behind it when the photo was taken, or white."""


class Part(Base):
    __tablename__ = "parts"
    __table_args__ = (
        one_of("model_status", ModelStatus, "parts_model_status"),
        partial_unique("ux_parts_sku_key", "sku_key", where="deleted_at IS NULL"),
        partial_unique("ux_parts_sku_look", "sku_look", where="deleted_at IS NULL"),
        Index("ix_parts_deleted_sku_look", "sku_look", **only_where("deleted_at IS NOT NULL")),
        one_of("availability", AVAILABILITIES, "parts_availability"),
        one_of("condition", CONDITIONS, "parts_condition"),
        Index("ix_parts_model_status", "model_status"),
        Index("ix_parts_category_id", "category_id"),
        Index("ix_parts_check_due_at", "check_due_at", **only_where("check_due_at IS NOT NULL")),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    sku: Mapped[str] = mapped_column(Text)
    sku_key: Mapped[str] = mapped_column(Text)  # the SKU without case; unique among present parts
    # What SKUs that look equal have in common (`parts.skus`); null where an older part has the same look.
    sku_look: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    image_url: Mapped[str | None] = mapped_column(Text)  # the adopted database's one picture, unchanged
    width_mm: Mapped[float | None]
    height_mm: Mapped[float | None]
    depth_mm: Mapped[float | None]
    brand: Mapped[str | None] = mapped_column(Text)
    category_id: Mapped[str | None] = mapped_column(ForeignKey("categories.id", name="fk_parts_category_id"))
    weight_g: Mapped[float | None]
    price: Mapped[float | None] = mapped_column(Thousandths)
    currency: Mapped[str | None] = mapped_column(String(3))  # ISO 4217
    price_unit: Mapped[str | None] = mapped_column(Text)  # what the price is for: a piece, a pair, a metre
    availability: Mapped[str | None] = mapped_column(String(16))
    condition: Mapped[str | None] = mapped_column(String(16))
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    is_published: Mapped[bool] = mapped_column(default=True)
    primary_image_url: Mapped[str | None] = mapped_column(Text)
    model_status: Mapped[str] = mapped_column(String(16), default=ModelStatus.NONE)
    model_3d_url: Mapped[str | None] = mapped_column(Text)
    model_generation_started_at: Mapped[datetime | None]
    model_generation_completed_at: Mapped[datetime | None]
    # The error of its newest job.
    model_generation_error: Mapped[str | None] = mapped_column(Text)
    model_generation_error_code: Mapped[str | None] = mapped_column(String(64))
    model_generation_error_params: Mapped[dict[str, Any] | None] = mapped_column(MESSAGE_PARAMS)
    meshy_task_id: Mapped[str | None] = mapped_column(Text)
    # When the photos are due for a check; during a check, until when other pollers leave the part alone.
    check_due_at: Mapped[datetime | None]
    # Counts the changes that an open page should show.
    revision: Mapped[int] = mapped_column(default=1)
    deleted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)

    number_rows: Mapped[list[PartNumber]] = relationship(
        order_by=PartNumber.position, cascade="all, delete-orphan"
    )
    fitment_rows: Mapped[list[PartFitment]] = relationship(
        order_by=PartFitment.position, cascade="all, delete-orphan"
    )
    category_row: Mapped[Category | None] = relationship(viewonly=True)

    @property
    def numbers(self) -> list[dict[str, Any]]:
        """Its numbers beside the SKU: `kind` and `value` of each."""
        return [{"kind": row.kind, "value": row.value} for row in self.number_rows]

    @numbers.setter
    def numbers(self, numbers: list[dict[str, Any]]) -> None:
        if numbers != self.numbers:
            self.number_rows = [PartNumber(position=place, **one) for place, one in enumerate(numbers)]

    @property
    def fitment(self) -> list[dict[str, Any]]:
        """The vehicles that it fits."""
        names = ("make", "model", "year_from", "year_to", "engine", "note")
        return [{name: getattr(row, name) for name in names} for row in self.fitment_rows]

    @fitment.setter
    def fitment(self, vehicles: list[dict[str, Any]]) -> None:
        if vehicles != self.fitment:
            self.fitment_rows = [PartFitment(position=place, **one) for place, one in enumerate(vehicles)]

    @property
    def category(self) -> str | None:
        """The names of its category from the top."""
        return self.category_row.path if self.category_row else None

    generation_error = MessageColumns(
        "model_generation_error", "model_generation_error_code", "model_generation_error_params"
    )


class FormerSku(Base):
    """A SKU that a part had before it was renamed, by its look; the last part that had it."""

    __tablename__ = "former_skus"
    __table_args__ = (Index("ix_former_skus_part_id", "part_id"),)

    sku_look: Mapped[str] = mapped_column(Text, primary_key=True)
    sku: Mapped[str] = mapped_column(Text)
    part_id: Mapped[str] = mapped_column(ForeignKey("parts.id"))
    renamed_at: Mapped[datetime] = mapped_column(default=utc_now)


class PartImage(Base):
    __tablename__ = "part_images"
    __table_args__ = (
        one_of("angle_label", ANGLES, "part_images_angle_label"),
        one_of("background", BACKGROUNDS, "part_images_background"),
        # Negative only inside a reordering transaction, whose first phase clears the places.
        CheckConstraint("display_order BETWEEN -6 AND 5", name="part_images_display_order"),
        partial_unique(
            "ux_part_images_part_id_display_order", "part_id", "display_order", where="deleted_at IS NULL"
        ),
        Index("ix_part_images_part_id", "part_id"),
        Index("ix_part_images_sha256", "sha256"),
        Index("ix_part_images_without_webp", "id", **only_where("webp_widths IS NULL")),
        Index("ix_part_images_without_clean", "id", **only_where("clean_id IS NULL")),
        Index("ix_part_images_part_id_is_selected", "part_id", "is_selected_for_3d_generation"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    part_id: Mapped[str] = mapped_column(ForeignKey("parts.id"))
    image_url: Mapped[str] = mapped_column(Text)
    # This and the facts below are null while an adopted remote picture is still to be imported.
    storage_path: Mapped[str | None] = mapped_column(Text)
    thumbnail_path: Mapped[str | None] = mapped_column(Text)
    # The widths of its WebP files (`storage.webp_keys`); null until they are made for an earlier photo.
    webp_widths: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))
    sha256: Mapped[str | None] = mapped_column(String(64))
    look: Mapped[str | None] = mapped_column(Text)  # `photos.look`; null for photos of earlier versions
    # An earlier photo that is the same picture, in this part or another one.
    same_as_id: Mapped[str | None] = mapped_column(ForeignKey("part_images.id"))
    file_size_bytes: Mapped[int | None]
    width_px: Mapped[int | None]
    height_px: Mapped[int | None]
    mime_type: Mapped[str | None] = mapped_column(String(64))
    display_order: Mapped[int]
    alt_text: Mapped[str | None] = mapped_column(Text)
    caption: Mapped[str | None] = mapped_column(Text)
    angle_label: Mapped[str | None] = mapped_column(String(16))
    background: Mapped[str | None] = mapped_column(String(8))  # one of BACKGROUNDS; null: as the shop says
    is_selected_for_3d_generation: Mapped[bool] = mapped_column(default=False)
    # Its present clean photo; null until it is made, and without a usable outline.
    clean_id: Mapped[str | None] = mapped_column(ForeignKey("clean_photos.id"))
    deleted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)

    part: Mapped[Part] = relationship(lazy="raise")
    clean: Mapped[CleanPhoto | None] = relationship(lazy="joined", viewonly=True)


class CleanPhoto(Base):
    """A photo's part on white: a square picture, made from the photo and its outline."""

    __tablename__ = "clean_photos"
    __table_args__ = (UniqueConstraint("part_id", "made_of", name="ux_clean_photos_part_id_made_of"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    part_id: Mapped[str] = mapped_column(ForeignKey("parts.id"))
    made_of: Mapped[str] = mapped_column(String(64))  # a hash of everything that it depends on
    storage_path: Mapped[str | None] = mapped_column(Text)  # null when it could not be made
    thumbnail_path: Mapped[str | None] = mapped_column(Text)
    webp_widths: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))
    side_px: Mapped[int | None]
    is_ordered: Mapped[bool] = mapped_column(default=False)  # a job sends it, so it is kept
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class PhotoOutline(Base):
    """Which pixels of a photo show the part, as one method found it: a fact of the photo's content."""

    __tablename__ = "photo_outlines"
    __table_args__ = (
        UniqueConstraint("part_id", "sha256", "method", name="ux_photo_outlines_part_id_sha256_method"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    part_id: Mapped[str] = mapped_column(ForeignKey("parts.id"))
    sha256: Mapped[str] = mapped_column(String(64))  # of the photo
    method: Mapped[str] = mapped_column(String(64))
    storage_path: Mapped[str | None] = mapped_column(Text)  # a mask, white on the part; null if there is none
    refusal: Mapped[str | None] = mapped_column(String(32))  # why there is none
    facts: Mapped[
        dict[str, Any]
    ]  # {"sides": where the part is cut off, "left_out": what is not the part, "marks"}
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class PhotoCheck(Base):
    """What the last check of a part's photos found. Valid only for the photos and labels checked."""

    __tablename__ = "photo_checks"

    part_id: Mapped[str] = mapped_column(ForeignKey("parts.id"), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))  # of photos and labels
    report: Mapped[dict[str, Any]]  # from the child process; empty when the check failed
    checked_at: Mapped[datetime]

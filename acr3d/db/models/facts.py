"""What a part may have several of: numbers and vehicles it fits; and the tree of categories."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from acr3d.db.models.base import Base, one_of
from acr3d.db.types import Id, SortableText, new_id

NUMBER_KINDS = ("oe", "mpn", "gtin", "old", "other")
AVAILABILITIES = ("in_stock", "out_of_stock", "on_order")
CONDITIONS = ("new", "used", "refurbished")


class PartNumber(Base):
    """A number of a part beside its SKU: the car maker's (oe), its own maker's (mpn), GTIN, a former one."""

    __tablename__ = "part_numbers"
    __table_args__ = (
        one_of("kind", NUMBER_KINDS, "part_numbers_kind"),
        Index("ix_part_numbers_part_id", "part_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    part_id: Mapped[str] = mapped_column(ForeignKey("parts.id"))
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(String(8))
    value: Mapped[str] = mapped_column(Text)


class PartFitment(Base):
    """Vehicles that a part fits."""

    __tablename__ = "part_fitments"
    __table_args__ = (
        Index("ix_part_fitments_part_id", "part_id"),
        Index("ix_part_fitments_make", "make", "model"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    part_id: Mapped[str] = mapped_column(ForeignKey("parts.id"))
    position: Mapped[int]
    make: Mapped[str] = mapped_column(Text)
    model: Mapped[str | None] = mapped_column(Text)
    year_from: Mapped[int | None]
    year_to: Mapped[int | None]
    engine: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)


class Category(Base):
    """A node of the tree. `path`: the names from the top, as in `Brakes/Discs`; `path_key`: those, folded."""

    __tablename__ = "categories"
    __table_args__ = (
        Index("ux_categories_path_key", "path_key", unique=True),
        Index("ix_categories_parent_id", "parent_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("categories.id"))
    name: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(Text)
    path_key: Mapped[str] = mapped_column(SortableText)

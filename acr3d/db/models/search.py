"""What lists and searches read: one narrow row for each present part, kept by `parts.search_index`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, false
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from acr3d.db.models.base import Base
from acr3d.db.types import Id, SortableText

FILTERED = ("is_published", "model_status", "has_model", "has_photo", "has_size")
"""The columns by which staff limit a list, next to the category."""


class PartSearch(Base):
    """Everything in it follows from the part; `flask parts reindex` makes it again.

    On SQLite the virtual table `part_fts` indexes `tokens`, on PostgreSQL a GIN index does (`db.full_text`).
    """

    __tablename__ = "part_search"
    __table_args__ = (
        Index("ux_part_search_part_id", "part_id", unique=True),
        # Each order carries what lists are filtered by, so that passing over a part reads no row.
        Index("ix_part_search_name", "name_key", "sku_key", "part_id", *FILTERED),
        Index("ix_part_search_pictures", "is_published", "is_bare", "name_key", "sku_key", "part_id"),
        Index("ix_part_search_sku", "sku_key", "part_id", *FILTERED),
        Index("ix_part_search_newest", "created_at", "part_id", *FILTERED),
        *(
            Index(f"ix_part_search_{level}", level, "name_key", "sku_key", "part_id", "created_at", *FILTERED)
            for level in ("category_1", "category_2", "category_3")
        ),
        Index("ix_part_search_categories", "category_1", "category_2", "category_3", "is_published"),
        # Covers the counts of the filters, so that they need no row.
        Index("ix_part_search_facts", *FILTERED),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    part_id: Mapped[str] = mapped_column(Id, ForeignKey("parts.id"))
    version: Mapped[int]  # of the code that made the row
    name_key: Mapped[str] = mapped_column(SortableText)  # the name's words, folded
    sku_key: Mapped[str] = mapped_column(SortableText)
    created_at: Mapped[datetime]
    is_published: Mapped[bool]
    model_status: Mapped[str] = mapped_column(String(16))
    has_model: Mapped[bool]  # that customers see
    has_photo: Mapped[bool]
    has_size: Mapped[bool]
    is_bare: Mapped[bool] = mapped_column(default=False, server_default=false())  # customers see no picture
    # The part's category and those above it, from the top.
    category_1: Mapped[str | None] = mapped_column(Id)
    category_2: Mapped[str | None] = mapped_column(Id)
    category_3: Mapped[str | None] = mapped_column(Id)
    numbers: Mapped[str] = mapped_column(Text)  # keys, each between two blanks
    tokens: Mapped[str] = mapped_column(Text)  # what is indexed, blanks between: `parts.search_text`

    @classmethod
    def category_columns(cls) -> tuple[InstrumentedAttribute[str | None], ...]:
        """From the top level down."""
        return (cls.category_1, cls.category_2, cls.category_3)


class SearchWord(Base):
    """A word of a present or earlier part, by which a misspelt one is put right."""

    __tablename__ = "search_words"
    __table_args__ = (Index("ix_search_words_backwards", "backwards"),)

    word: Mapped[str] = mapped_column(SortableText, primary_key=True)
    backwards: Mapped[str] = mapped_column(SortableText)

"""Imports of tables and photos: the files, how they are read, how far it is, and what became of each row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from acr3d.db.models.base import Base, one_of, only_where
from acr3d.db.states import ImportState
from acr3d.db.types import Id, new_id, utc_now

ACTIONS = ("new", "changed", "unchanged", "refused")
PHOTO_ACTIONS = ("added", "present", "unclear", "refused")


class Import(Base):
    """One file, from its preview to its undoing."""

    __tablename__ = "imports"
    __table_args__ = (
        one_of("state", ImportState, "imports_state"),
        Index("ix_imports_due_at", "due_at", **only_where("due_at IS NOT NULL")),
        Index("ix_imports_heading_key", "heading_key"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    file_name: Mapped[str] = mapped_column(Text)
    storage_path: Mapped[str | None] = mapped_column(Text)  # of the table; null when there are photos alone
    sha256: Mapped[str | None] = mapped_column(String(64))
    photos_path: Mapped[str | None] = mapped_column(Text)  # of the photos' ZIP file, until they are imported
    language: Mapped[str] = mapped_column(String(8), default="en")  # of the sentences about its rows
    state: Mapped[str] = mapped_column(String(16))
    # How somebody wants the file to be read: `encoding`, `delimiter`, `sheet`, `decimal`; else it is found.
    layout: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # The field of each heading that somebody chose, or null to leave the column out.
    mapping: Mapped[dict[str, Any]] = mapped_column(default=dict)
    heading_key: Mapped[str] = mapped_column(String(64), default="")  # of the row of headings
    found: Mapped[dict[str, Any]] = mapped_column(default=dict)  # how it was read, see `imports.reading`
    stops_at_refused: Mapped[bool] = mapped_column(default=False)
    makes_categories: Mapped[bool] = mapped_column(default=False)
    row_count: Mapped[int] = mapped_column(default=0)
    rows_done: Mapped[int] = mapped_column(default=0)  # of what its state does
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # rows by ACTIONS
    photo_choices: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {path: SKU} of unclear photos
    photo_count: Mapped[int | None]  # null until the photos were matched with parts
    photos_done: Mapped[int] = mapped_column(default=0)
    photo_counts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # photos by PHOTO_ACTIONS
    made_categories: Mapped[list[str]] = mapped_column(default=list)  # their paths
    problem: Mapped[str] = mapped_column(Text, default="")  # why it does not go on, as a sentence
    revision: Mapped[int] = mapped_column(default=1)  # counts changes of how it is read
    # When it is due; while a poller works on it, until when the others leave it alone.
    due_at: Mapped[datetime | None]
    created_by: Mapped[str | None] = mapped_column(ForeignKey("users.id"))  # null: on the command line
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class ImportRow(Base):
    """What one row would do, or did. `before` and `after` hold the fields that change."""

    __tablename__ = "import_rows"
    __table_args__ = (
        one_of("action", ACTIONS, "import_rows_action"),
        Index("ix_import_rows_action", "import_id", "action", "number"),
    )

    import_id: Mapped[str] = mapped_column(ForeignKey("imports.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)  # in the file
    sku: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(String(16))
    part_id: Mapped[str | None] = mapped_column(ForeignKey("parts.id"))
    part_revision: Mapped[int] = mapped_column(default=0)  # after the import
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)
    after: Mapped[dict[str, Any]] = mapped_column(default=dict)
    problem: Mapped[str] = mapped_column(Text, default="")  # why it was refused
    not_undone: Mapped[str] = mapped_column(Text, default="")  # what the undoing left, and why


class ImportPhoto(Base):
    """What one photo would do, or did. A file that two parts list is two of them."""

    __tablename__ = "import_photos"
    __table_args__ = (
        one_of("action", PHOTO_ACTIONS, "import_photos_action"),
        Index("ix_import_photos_action", "import_id", "action", "number"),
        Index("ix_import_photos_image_id", "image_id", **only_where("image_id IS NOT NULL")),
    )

    import_id: Mapped[str] = mapped_column(ForeignKey("imports.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)  # in the order of their parts
    path: Mapped[str] = mapped_column(Text)  # in the ZIP file, or an address
    sku: Mapped[str] = mapped_column(Text)
    fits: Mapped[list[str]] = mapped_column(default=list)  # the SKUs to choose from, where there are several
    action: Mapped[str] = mapped_column(String(16))
    says: Mapped[str] = mapped_column(Text, default="")  # what its name says beside the SKU
    source: Mapped[str] = mapped_column(String(64), default="")  # tells the same file in another import
    image_id: Mapped[str | None] = mapped_column(ForeignKey("part_images.id"))  # what was made of it
    angle_label: Mapped[str | None] = mapped_column(String(16))  # as imported
    problem: Mapped[str] = mapped_column(Text, default="")  # why it was refused
    not_undone: Mapped[str] = mapped_column(Text, default="")  # why the undoing left it

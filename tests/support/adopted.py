"""An adopted database: parts whose pictures are still to be imported."""

from __future__ import annotations

from pathlib import Path

from click.testing import Result
from flask import Flask
from sqlalchemy import select, update

from acr3d.db.extensions import db
from acr3d.db.models import Part, PartImage
from acr3d.db.session import transaction
from acr3d.parts.photos import images_of
from acr3d.storage.blobs import storage
from acr3d.storage.webp_keys import webp_keys
from tests.support.factories import make_part


def adopt(sku: str, url: str) -> Part:
    """A part as the migration leaves it: its picture is photo 0, to import."""
    part = make_part(sku)
    with transaction() as session:
        session.execute(update(Part).where(Part.id == part.id).values(image_url=url))
        session.add(PartImage(part_id=part.id, image_url=url, display_order=0))
    return part


def fetch_photos(app: Flask) -> Result:
    return app.test_cli_runner().invoke(args=["photos", "fetch"])


def state_of_everything() -> tuple[list[tuple[object, ...]], set[str]]:
    """Every photo's row, every part's mirror, and every stored file."""
    db.session.rollback()
    photos = db.session.execute(select(*PartImage.__table__.columns).order_by(PartImage.id))
    parts = db.session.execute(select(Part.id, Part.primary_image_url, Part.revision).order_by(Part.id))
    rows = [tuple(row) for row in (*photos, *parts)]
    db.session.rollback()
    return rows, files_of(storage().folder)


def files_of(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def names_of(part: Part) -> set[str]:
    """The files that the part's photos, as they are, refer to."""
    keys: set[str | None] = set()
    for image in images_of(part.id):
        keys |= {image.storage_path, image.thumbnail_path, *webp_keys(image.storage_path, image.webp_widths)}
    return {key for key in keys if key}

"""Photos to the parts that their names tell. A photo that its part has already is left alone, so the same
photos again, after a kill too, change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from flask_babel import gettext as _
from sqlalchemy import select

from acr3d.db.extensions import db
from acr3d.db.models import Part
from acr3d.db.session import end_read
from acr3d.errors import InvalidInput
from acr3d.imports.photo_files import PhotoFile, PhotoFiles
from acr3d.imports.photo_names import Named, SkuNames
from acr3d.messages.wording import worded
from acr3d.parts.conversion import converted
from acr3d.parts.photos import add_photos, images_of
from acr3d.parts.sku_lookup import parts_by_look
from acr3d.parts.skus import look
from acr3d.photos.limits import PhotoRefused


class PhotoAction(StrEnum):
    """What becomes of a file."""

    ADDED = "added"
    PRESENT = "present"  # the part has this photo
    LEFT_OUT = "left out"


@dataclass(frozen=True)
class PhotoOutcome:
    """What becomes of one file, with the SKU of its part if it has one, and a sentence where it has none."""

    path: str
    action: PhotoAction
    sku: str = ""
    problem: str = ""


@dataclass(frozen=True)
class _Matched:
    file: PhotoFile
    named: Named


def preview(source: PhotoFiles, more_skus: Iterable[str] = ()) -> Iterator[PhotoOutcome]:
    """Which part each file would go to, among the present parts and those with `more_skus`."""
    matched, left_out = _matched(source, more_skus)
    yield from left_out
    for one in matched:
        yield PhotoOutcome(one.file.path, PhotoAction.ADDED, one.named.skus[0])


def bring(source: PhotoFiles) -> Iterator[PhotoOutcome]:
    """Add the photos, one after the other; each file as it was done."""
    matched, left_out = _matched(source)
    yield from left_out
    for one in matched:
        yield _brought(source, one)


def _matched(source: PhotoFiles, more_skus: Iterable[str] = ()) -> tuple[list[_Matched], list[PhotoOutcome]]:
    """The files that one part fits, in the order of their parts and numbers; and the others."""
    present = list(db.session.scalars(select(Part.sku).where(Part.deleted_at.is_(None))))
    end_read()
    known = {look(sku) for sku in present}
    names = SkuNames([*present, *(sku for sku in more_skus if look(sku) not in known)])
    matched: list[_Matched] = []
    left_out: list[PhotoOutcome] = []
    for file in source.files():
        named = names.read(file.path)
        problem = file.problem or _not_one(named)
        if problem:
            left_out.append(PhotoOutcome(file.path, PhotoAction.LEFT_OUT, problem=problem))
        else:
            matched.append(_Matched(file, named))
    matched.sort(key=lambda one: (look(one.named.skus[0]), one.named.number, one.file.path))
    return matched, left_out


def _not_one(named: Named) -> str:
    if not named.skus:
        return str(_("No part's number (SKU) is in its name."))
    if len(named.skus) > 1:
        sentence = _(
            "Its name fits several parts: %(skus)s. Put it into a folder named like its part, "
            "under a number.",
            skus=", ".join(named.skus[:5]),
        )
        return str(sentence)
    return ""


def _brought(source: PhotoFiles, one: _Matched) -> PhotoOutcome:
    path, sku = one.file.path, one.named.skus[0]
    try:
        with source.opened(one.file) as stream:
            photo = converted(stream)
        part = parts_by_look(db.session(), [sku]).get(look(sku))
        if part is None:
            return PhotoOutcome(path, PhotoAction.LEFT_OUT, sku, _("The part was deleted since."))
        part_id = part.id
        if photo.sha256 in {image.sha256 for image in images_of(part_id)}:
            end_read()
            return PhotoOutcome(path, PhotoAction.PRESENT, sku)
        add_photos(part_id, [photo], file_names=[f"{one.named.rest}.jpg"])
    except PhotoRefused as refusal:
        return PhotoOutcome(path, PhotoAction.LEFT_OUT, sku, worded(refusal.message))
    except InvalidInput as refusal:
        return PhotoOutcome(path, PhotoAction.LEFT_OUT, sku, str(refusal))
    return PhotoOutcome(path, PhotoAction.ADDED, sku)

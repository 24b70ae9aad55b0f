"""What each photo would do: go to the part that its name or the table tells, or be left out, and why.

Nothing is decoded for that, so it is quick; what its content says is known when it is imported.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import NamedTuple

from flask_babel import gettext as _
from sqlalchemy import func, select

from acr3d.db.extensions import db
from acr3d.db.models import ImportPhoto, Part, PartImage
from acr3d.db.session import end_read
from acr3d.imports.photo_column import PhotoColumn, name_key
from acr3d.imports.photo_files import PhotoFile, PhotoFiles
from acr3d.imports.photo_names import Named, SkuNames
from acr3d.parts.parts import present_parts
from acr3d.parts.photos import PHOTOS_PER_PART, no_room
from acr3d.parts.skus import look

NOT_LISTED = 1000
"""The place of a photo that the column does not list: behind those that it does."""


@dataclass(frozen=True)
class PlannedPhoto:
    """One photo's fate. `says` is what its name tells beside the part; `fits` are SKUs to choose from."""

    path: str
    action: str  # one of PHOTO_ACTIONS
    sku: str = ""
    says: str = ""
    source: str = ""
    fits: tuple[str, ...] = ()
    problem: str = ""
    place: tuple[int, int] = (0, 0)
    """Among the part's photos: by the column, and by the number in its name."""


class Known(NamedTuple):
    """The present parts: SKUs, how many photos each has, and the sources of those, by the SKU's look."""

    skus: dict[str, str]
    counts: dict[str, int]
    sources: set[tuple[str, str]]


def known() -> Known:
    skus, ids = {}, {}
    for part_id, sku in db.session.execute(present_parts().with_only_columns(Part.id, Part.sku)):
        skus[look(sku)] = sku
        ids[part_id] = look(sku)
    count = select(PartImage.part_id, func.count()).where(PartImage.deleted_at.is_(None))
    counts = {
        ids[row[0]]: row[1] for row in db.session.execute(count.group_by(PartImage.part_id)) if row[0] in ids
    }
    imported = (
        select(PartImage.part_id, ImportPhoto.source)
        .join(PartImage, PartImage.id == ImportPhoto.image_id)
        .where(PartImage.deleted_at.is_(None), ImportPhoto.source != "")
    )
    sources = {(ids[row[0]], row[1]) for row in db.session.execute(imported) if row[0] in ids}
    end_read()
    return Known(skus, counts, sources)


def planned(
    source: PhotoFiles | None, column: PhotoColumn, present: Known, choices: Mapping[str, str]
) -> list[PlannedPhoto]:
    """The photos in the order of their parts, the unclear and refused ones first. `choices` are a person's
    SKUs for unclear paths. Raises InvalidInput for too many files.
    """
    names = SkuNames(present.skus.values())
    files = list(source.files()) if source is not None else []
    twins = Counter(name_key(file.path) for file in files)
    found = [
        one for file in files for one in _of_file(file, twins[name_key(file.path)], column, names, choices)
    ]
    found += [_of_address(sku, place, address) for sku, place, address in column.addresses]
    found += _missing(files, column)
    found.sort(key=lambda one: (one.action == "added", look(one.sku), one.place, one.path))
    return _that_fit(found, present)


def source_of_address(address: str) -> str:
    """Tells the same address in another import."""
    return hashlib.sha256(address.encode()).hexdigest()


def _of_file(
    file: PhotoFile, twins: int, column: PhotoColumn, names: SkuNames, choices: Mapping[str, str]
) -> list[PlannedPhoto]:
    """`twins`: how many files have its name, in whatever folders."""
    if file.problem:
        return [PlannedPhoto(file.path, "refused", problem=file.problem)]
    if twins > 1 and column.lists_name_of(file.path):
        problem = _(
            "The table lists this name, but several files have it. Let the table say the folder, too."
        )
        return [PlannedPhoto(file.path, "refused", problem=str(problem))]
    listed = column.parts_of(file.path)
    if listed:
        says = PurePosixPath(file.path).stem
        return [
            PlannedPhoto(file.path, "added", sku, says, file.source, place=(place, 0))
            for sku, place in listed
        ]
    return [_by_name(file, names.read(file.path), choices.get(file.path, ""))]


def _by_name(file: PhotoFile, named: Named, choice: str) -> PlannedPhoto:
    sku = choice if choice in named.skus else named.skus[0] if len(named.skus) == 1 else ""
    if sku:
        place = (NOT_LISTED, named.number)
        fits = named.skus if len(named.skus) > 1 else ()
        return PlannedPhoto(file.path, "added", sku, named.rest, file.source, fits, place=place)
    if not named.skus:
        return PlannedPhoto(file.path, "refused", problem=str(_("No part's number (SKU) is in its name.")))
    problem = _("Its name fits several parts: %(skus)s.", skus=", ".join(named.skus[:5]))
    return PlannedPhoto(file.path, "unclear", fits=named.skus, problem=str(problem))


def _of_address(sku: str, place: int, address: str) -> PlannedPhoto:
    says = PurePosixPath(address.partition("?")[0]).stem
    return PlannedPhoto(address, "added", sku, says, source_of_address(address), place=(place, 0))


def _missing(files: list[PhotoFile], column: PhotoColumn) -> list[PlannedPhoto]:
    """What the column lists and is not among the files."""
    there = {
        name for file in files for name in (file.path.casefold(), PurePosixPath(file.path).name.casefold())
    }
    problem = str(_("The table lists this file, but it is not among the photos."))
    return [
        PlannedPhoto(name, "refused", sku, problem=problem)
        for name, parts in column.by_name.items()
        if name not in there
        for sku, _place in parts
    ]


def _that_fit(found: list[PlannedPhoto], present: Known) -> list[PlannedPhoto]:
    """The same photos; those that their part has already, and those without room, are not added."""
    counts, result = Counter(present.counts), []
    for one in found:
        key = look(one.sku)
        if one.action != "added":
            result.append(one)
        elif one.source and (key, one.source) in present.sources:
            result.append(replace(one, action="present"))
        elif counts[key] >= PHOTOS_PER_PART:
            result.append(replace(one, action="refused", problem=str(no_room())))
        else:
            counts[key] += 1
            result.append(one)
    return result

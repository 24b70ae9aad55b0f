"""Which stored files there are, which rows refer to them, and which of them customers may fetch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, inspect, null, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from acr3d.db.extensions import db
from acr3d.db.models import (
    CaptureBlob,
    CleanPhoto,
    Import,
    Job,
    ModelFile,
    ModelVersion,
    Part,
    PartImage,
    PhotoOutline,
)
from acr3d.db.states import DAYS_IN_BIN, VersionState
from acr3d.db.types import is_id, utc_now
from acr3d.storage.webp_keys import photo_and_width, webp_keys

MEDIA_TYPES = {
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".glb": "model/gltf-binary",
    ".usdz": "model/vnd.usdz+zip",
    ".stl": "model/stl",
}
SHOWN_TO_CUSTOMERS = (VersionState.PUBLISHED, VersionState.SUPERSEDED)


class Kind(StrEnum):
    """What a stored file is."""

    PHOTO = "photo"  # or its thumbnail, or one of its WebP files
    OUTLINE = "outline"
    RAW = "raw model"
    VERSION = "version"
    POSTER = "poster"
    IMPORT = "imported file"
    CAPTURE = "capture"  # a piece of an upload, a kept frame, or the frames' cameras


# Every column that holds a key, and the one with the file's hash; the keys of WebP files are made from a
# photo's. A job's frozen copy of its photos is left out: its keys are those of photos, whose rows are never
# removed, and of clean photos, whose rows are kept once they are ordered.
REFERRING = (
    (Kind.PHOTO, PartImage.storage_path, PartImage.sha256),
    (Kind.PHOTO, PartImage.thumbnail_path, null()),
    (Kind.PHOTO, CleanPhoto.storage_path, null()),
    (Kind.PHOTO, CleanPhoto.thumbnail_path, null()),
    (Kind.OUTLINE, PhotoOutline.storage_path, null()),
    (Kind.RAW, Job.raw_storage_path, null()),
    (Kind.VERSION, ModelVersion.storage_path, ModelVersion.sha256),
    (Kind.POSTER, ModelVersion.poster_path, null()),
    (Kind.POSTER, ModelVersion.sides_path, null()),
    (Kind.VERSION, ModelVersion.ar_storage_path, ModelVersion.ar_sha256),
    (Kind.VERSION, ModelFile.storage_path, ModelFile.sha256),
    (Kind.IMPORT, Import.storage_path, Import.sha256),
    (Kind.IMPORT, Import.photos_path, null()),
    (Kind.CAPTURE, CaptureBlob.storage_path, CaptureBlob.sha256),
)


_WITH_WEBP: tuple[type[PartImage] | type[CleanPhoto], ...] = (PartImage, CleanPhoto)


@dataclass(frozen=True)
class Reference:
    """A row that refers to a stored file."""

    kind: Kind
    key: str
    part_id: str | None
    """None for a file that belongs to no part."""
    sha256: str | None


def references(connection: Connection) -> Iterator[Reference]:
    """All references, also by deleted photos and rejected models. A table that does not exist has none.

    Of a part that can no longer be brought back from the bin, only raw models count: they were paid for.
    """
    present = set(inspect(connection).get_table_names())
    gone = _parts_out_of_the_bin(connection) if PartImage.__tablename__ in present else set()
    for kind, key, sha256 in REFERRING:
        if key.class_.__tablename__ not in present:
            continue
        for row in connection.execute(select(key, _part_column(key), sha256).where(key.is_not(None))):
            if kind is Kind.RAW or row[1] not in gone:
                yield Reference(kind, *row)
    for photos in _WITH_WEBP:
        if photos.__tablename__ not in present:
            continue
        for path, part_id, widths in connection.execute(_webp_files(photos)):
            if part_id not in gone:
                yield from (Reference(Kind.PHOTO, key, part_id, None) for key in webp_keys(path, widths))


def _webp_files(photos: type[PartImage] | type[CleanPhoto]) -> Select[str | None, str, list[int] | None]:
    columns = select(photos.storage_path, photos.part_id, photos.webp_widths)
    return columns.where(photos.webp_widths.is_not(None))


def _part_column(key: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    owner: ColumnElement[Any] = getattr(key.class_, "part_id", null())
    return owner


def _parts_out_of_the_bin(connection: Connection) -> set[str]:
    """The deleted parts whose time in the bin is over, and an hour more: clocks differ."""
    until = utc_now() - timedelta(days=DAYS_IN_BIN, hours=1)
    return set(connection.execute(select(Part.id).where(Part.deleted_at < until)).scalars())


def keys_of(part_id: str) -> list[str]:
    """The keys of all the part's files, those of deleted photos and rejected models included."""
    found: list[str] = []
    for kind, key, _sha256 in REFERRING:
        if kind is Kind.IMPORT:
            continue
        query = select(key).where(key.class_.part_id == part_id, key.is_not(None))
        found += [str(row[0]) for row in db.session.execute(query)]
    for photos in _WITH_WEBP:
        for path, _part_id, widths in db.session.execute(
            _webp_files(photos).where(photos.part_id == part_id)
        ):
            found += webp_keys(path, widths)
    return found


@dataclass(frozen=True)
class Blob:
    """A stored file that a row refers to."""

    key: str
    sha256: str | None
    is_public: bool

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES[PurePosixPath(self.key).suffix]


def find_blob(key: str) -> Blob | None:
    """The file that `key` names: of a photo, an outline, a model version (or its poster), a raw model or a
    capture.

    None when nothing refers to it.

    Every key begins with parts/<part id>/, so only one part's rows are searched.
    """
    folder, _slash, rest = key.partition("/")
    part_id = rest.partition("/")[0]
    is_well_formed = folder == "parts" and is_id(part_id) and "\x00" not in key
    part = (
        db.session.get(Part, part_id) if is_well_formed and PurePosixPath(key).suffix in MEDIA_TYPES else None
    )
    if part is None:
        return None
    is_visible = part.is_published and part.deleted_at is None
    return (
        _photo(key, part_id, is_visible)
        or _clean_photo(key, part_id, is_visible)
        or _version(key, part_id, is_visible)
        or _other_format(key, part_id, is_visible)
        or _private(key, part_id, PhotoOutline.storage_path)
        or _private(key, part_id, Job.raw_storage_path)
        or _private(key, part_id, CaptureBlob.storage_path)
    )


def media_url(key: str) -> str:
    """The path under which a stored file is served."""
    return f"/media/{key}"


def _photo(key: str, part_id: str, is_visible: bool) -> Blob | None:
    if made_from := photo_and_width(key):
        path, width = made_from
        query = select(PartImage).where(PartImage.part_id == part_id, PartImage.storage_path == path)
        image = db.session.scalar(query)
        is_known = image is not None and width in (image.webp_widths or ())
        return Blob(key, None, is_visible and image.deleted_at is None) if image and is_known else None
    names = or_(PartImage.storage_path == key, PartImage.thumbnail_path == key)
    image = db.session.scalar(select(PartImage).where(PartImage.part_id == part_id, names))
    if image is None:
        return None
    sha256 = image.sha256 if image.storage_path == key else None
    return Blob(key, sha256, is_visible and image.deleted_at is None)


def _clean_photo(key: str, part_id: str, is_visible: bool) -> Blob | None:
    """Public while a present photo has it."""
    path, width = photo_and_width(key) or (key, None)
    names = or_(CleanPhoto.storage_path == path, CleanPhoto.thumbnail_path == path)
    clean = db.session.scalar(select(CleanPhoto).where(CleanPhoto.part_id == part_id, names))
    if clean is None or (width is not None and width not in (clean.webp_widths or ())):
        return None
    present = select(PartImage.id).where(
        PartImage.part_id == part_id, PartImage.clean_id == clean.id, PartImage.deleted_at.is_(None)
    )
    return Blob(key, None, is_visible and db.session.scalar(present.limit(1)) is not None)


def _version(key: str, part_id: str, is_visible: bool) -> Blob | None:
    columns = (
        *(ModelVersion.storage_path, ModelVersion.ar_storage_path),
        *(ModelVersion.poster_path, ModelVersion.sides_path),
    )
    names = or_(*(column == key for column in columns))
    versions = db.session.scalars(select(ModelVersion).where(ModelVersion.part_id == part_id, names)).all()
    if not versions:
        return None
    shown = any(version.state in SHOWN_TO_CUSTOMERS for version in versions)
    hashes = {
        versions[0].storage_path: versions[0].sha256,
        versions[0].ar_storage_path: versions[0].ar_sha256,
    }
    sha256 = hashes.get(key)
    return Blob(key, sha256, is_visible and shown)


def _other_format(key: str, part_id: str, is_visible: bool) -> Blob | None:
    """Public like its version, but for what only the pages' downloads offer to customers."""
    query = select(ModelFile.sha256, ModelVersion.state).join(
        ModelVersion, ModelFile.version_id == ModelVersion.id
    )
    versions = db.session.execute(
        query.where(ModelFile.part_id == part_id, ModelFile.storage_path == key)
    ).all()
    if not versions:
        return None
    shown = any(row.state in SHOWN_TO_CUSTOMERS for row in versions)
    return Blob(key, versions[0].sha256, is_visible and shown and key.endswith((".glb", ".usdz")))


def _private(key: str, part_id: str, column: InstrumentedAttribute[Any]) -> Blob | None:
    """A file that no customer sees."""
    owner = column.class_
    query = select(owner.id).where(owner.part_id == part_id, column == key)
    return Blob(key, None, False) if db.session.scalar(query.limit(1)) else None

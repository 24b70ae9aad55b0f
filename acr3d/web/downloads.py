"""Files of a part to download: its model in the formats that there are, and its photos."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from flask import Response, abort, send_file
from flask_babel import gettext as _

from acr3d.clean_photos.shown import ShownPhoto
from acr3d.db.models import Job, ModelFile, ModelVersion, Part, PartImage
from acr3d.parts.photos import images_of
from acr3d.storage.blobs import storage
from acr3d.storage.index import MEDIA_TYPES
from acr3d.storage.zipped import zipped_files
from acr3d.web.streaming import streamed


@dataclass(frozen=True)
class Download:
    """One file as a page offers it."""

    name: str
    key: str
    size: int | None
    ending: str


def models(version: ModelVersion, files: dict[str, ModelFile]) -> dict[str, Download]:
    """What customers may have of a model, by the word in the address; GLB is the one for any program."""
    glb, size = version.ar_storage_path or version.storage_path, version.ar_file_size_bytes
    found = {
        "glb": Download("GLB", glb, size if version.ar_storage_path else version.file_size_bytes, ".glb")
    }
    names = {"usdz": "USDZ", "stl": _("STL (mm)")}
    for file_format, name in names.items():
        if file := files.get(file_format):
            found[file_format] = Download(
                name, file.storage_path or "", file.file_size_bytes, f".{file_format}"
            )
    return found


def for_staff(version: ModelVersion, files: dict[str, ModelFile], raw: Job) -> dict[str, Download]:
    """The same, the file that web pages load, and the raw model, by the word in the address."""
    small = Download(_("GLB for the web"), version.storage_path, version.file_size_bytes, "-web.glb")
    found = models(version, files) | ({"web": small} if version.ar_storage_path else {})
    if raw.raw_storage_path:
        size = raw.raw_file_size_bytes
        found["raw"] = Download(_("Raw model (GLB)"), raw.raw_storage_path, size, "-raw.glb")
    return found


def send(download: Download, part: Part) -> Response:
    """The file under a name that says which part it is. Answers 404 if it is not stored."""
    path = storage().path(download.key)
    if not path.is_file():
        abort(404)
    media_type = MEDIA_TYPES[path.suffix]
    return send_file(path, media_type, as_attachment=True, download_name=_file_name(part) + download.ending)


def send_photos(part: Part, picture: Callable[[PartImage], ShownPhoto]) -> Response:
    """The photos as a ZIP file, each as `picture` says. Answers 404 if there are none."""
    name = _file_name(part)
    keys = [key for image in images_of(part.id) if (key := picture(image).storage_path)]
    if not keys:
        abort(404)
    files = [(f"{name}-{number}{Path(key).suffix}", key) for number, key in enumerate(keys, start=1)]
    response = Response(streamed(zipped_files(files)), mimetype="application/zip")
    response.headers.set("Content-Disposition", "attachment", **_named(f"{name}.zip"))
    return response


def _named(name: str) -> dict[str, str]:
    """Any name for a header, and an ASCII one for programs that know only that (RFC 6266)."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return {"filename": plain, "filename*": f"UTF-8''{quote(name, safe='')}"}


def _file_name(part: Part) -> str:
    """The SKU without what file systems do not take."""
    return re.sub(r'[\\/:*?"<>|\s]+', "-", part.sku).strip("-.") or Path(part.id).name

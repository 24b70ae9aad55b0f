"""Files that customers may download, if an admin offers them."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from acr3d.clean_photos.shown import shown
from acr3d.db.models import ModelFile, ModelVersion, Part
from acr3d.jobs import model_files
from acr3d.parts import sku_lookup
from acr3d.shop import options
from acr3d.storage.file_size import file_size
from acr3d.web import downloads, request_rate

PHOTOS = "photos"

bp = Blueprint("downloads", __name__)


@dataclass(frozen=True)
class Link:
    """A download as the part's page shows it."""

    name: str
    size: str
    href: str


def links(
    part: Part, version: ModelVersion | None, files: dict[str, ModelFile], *, has_photos: bool
) -> list[Link]:
    """What the part's page offers; nothing unless an admin allows it."""
    if not options.offers_downloads():
        return []
    found = downloads.models(version, files) if version else {}
    offered = [Link(one.name, file_size(one.size or 0), _href(word, part)) for word, one in found.items()]
    return [*offered, Link(_("Photos (ZIP)"), "", _href(PHOTOS, part))] if has_photos else offered


@bp.get("/downloads/<word>/<sku:sku>")
def file(word: str, sku: str) -> ResponseReturnValue:
    part = sku_lookup.part_for_public(sku)
    if not options.offers_downloads():
        abort(404)
    request_rate.count()
    if word == PHOTOS:
        return downloads.send_photos(part, shown)
    version, files = model_files.published(part.id)
    found = downloads.models(version, files) if version else {}
    if word not in found:
        abort(404)
    return downloads.send(found[word], part)


def _href(word: str, part: Part) -> str:
    return url_for("downloads.file", word=word, sku=part.sku)

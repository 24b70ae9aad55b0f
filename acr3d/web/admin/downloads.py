"""Files of a part for staff: each model in all its formats, the raw model, and the photos."""

from __future__ import annotations

from flask import Blueprint, abort
from flask.typing import ResponseReturnValue

from acr3d.clean_photos.shown import as_taken
from acr3d.jobs import model_files, queries
from acr3d.parts.parts import part_by_id
from acr3d.web import downloads

bp = Blueprint("downloads", __name__)


@bp.get("/versions/<version_id>/download/<word>")
def model(version_id: str, word: str) -> ResponseReturnValue:
    version = queries.version_by_id(version_id)
    files = model_files.files_of([version])[version.id]
    found = downloads.for_staff(version, files, queries.job_by_id(version.job_id))
    if word not in found:
        abort(404)
    return downloads.send(found[word], part_by_id(version.part_id))


@bp.get("/parts/<part_id>/photos.zip")
def photos(part_id: str) -> ResponseReturnValue:
    return downloads.send_photos(part_by_id(part_id), as_taken)

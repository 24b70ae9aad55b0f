"""A part's photos for staff: order, labels and deletion. Uploads go through the API, one file per request."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from acr3d.captures.captures import positions_of
from acr3d.engines.registry import engines
from acr3d.jobs import queries
from acr3d.parts import parts, photos
from acr3d.parts.photos import OrderChanged, images_of
from acr3d.photo_checks.results import check_result
from acr3d.storage import cleanup
from acr3d.web.admin.generate_form import GenerateForm
from acr3d.web.admin.live_updates import part_poller

bp = Blueprint("photos", __name__)


@bp.get("/parts/<part_id>/photos")
def index(part_id: str) -> ResponseReturnValue:
    return fragments(part_id)


@bp.post("/parts/<part_id>/photos/order")
def order(part_id: str) -> ResponseReturnValue:
    """Takes the `id`s in their new order. If the photos have changed, responds with the current order."""
    try:
        photos.reorder(part_id, request.form.getlist("id"))
    except OrderChanged as changed:
        return fragments(part_id, str(changed)), changed.status
    return fragments(part_id)


@bp.post("/photos/<image_id>/labels")
def label(image_id: str) -> ResponseReturnValue:
    """Changes the labels that are sent. Responds with what depends on them, not with the photos."""
    labels = {name: request.form[name] for name in photos.LABELS if name in request.form}
    image = photos.label_photo(image_id, labels)
    return render_template("admin/_photo_labels_saved.html", **_context(image.part_id))


@bp.post("/parts/<part_id>/photos/angles")
def angles(part_id: str) -> ResponseReturnValue:
    """Takes the new angles of some photos, by their IDs."""
    photos.set_angles(part_id, dict(request.form.items()))
    return fragments(part_id)


@bp.delete("/photos/<image_id>")
def delete(image_id: str) -> ResponseReturnValue:
    return fragments(photos.delete_photo(image_id))


def fragments(part_id: str, problem: str | None = None) -> str:
    """The photos, and out of band the rest of the page that depends on them."""
    return render_template("admin/_photos_update.html", problem=problem, **_context(part_id))


def _context(part_id: str) -> dict[str, Any]:
    part, images = parts.part_by_id(part_id), images_of(part_id)
    job = queries.newest_job(part_id)
    photo_check, versions = check_result(part, images), queries.versions_of(part_id)
    positions = positions_of(part_id)
    return {
        "part": part,
        "positions": positions,
        "images": images,
        "photo_check": photo_check,
        "job": job,
        "versions": versions,
        "engines": engines().available(),
        "space": cleanup.bytes_of_part(part_id),
        "live_part": part_poller(part_id, job, versions, photo_check, positions),
        "generate_form": GenerateForm.suggested(images, photo_check.best),
        "is_live": job is not None and job.is_live,  # then the page has no Generate form
    }

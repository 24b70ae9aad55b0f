"""The JSON API: for our own pages' scripts, and with a bearer token for other programs.

Who may call what is decided in `guards`; what a failure looks like, in `failures`.
"""

from __future__ import annotations

from types import NoneType
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from acr3d.db.extensions import csrf
from acr3d.errors import InvalidInput
from acr3d.jobs import queries, reoptimize, service
from acr3d.parts import parts as catalogue
from acr3d.parts import photos
from acr3d.photo_checks.results import preflight_of
from acr3d.web.access import actor
from acr3d.web.api import request_body, serializers
from acr3d.web.templating import page_number

_TEXT = (str, NoneType)
_NUMBER = (int, float, NoneType)
_PART_FIELDS: dict[str, type | tuple[type, ...]] = {
    "sku": str,
    "name": str,
    "description": _TEXT,
    "is_published": bool,
    **dict.fromkeys(catalogue.SIZES, _NUMBER),
}
_UPLOAD_NAMES = [f"image{place}" for place in range(photos.PHOTOS_PER_PART)]

bp = Blueprint("api", __name__, url_prefix="/api")
csrf.exempt(bp)  # guards asks for the header, and not of those who bring a token


@bp.get("/parts")
def public_parts() -> ResponseReturnValue:
    page = catalogue.search(request.args.get("q", "")[:200], page_number(), published_only=True)
    parts = [serializers.public_part_shape(part, catalogue.images_of(part.id)) for part in page.parts]
    return jsonify(parts=parts, page=page.number, pages=page.count, total=page.total)


@bp.get("/parts/<sku:sku>")
def public_part(sku: str) -> ResponseReturnValue:
    part = catalogue.part_for_public(sku)
    return jsonify(serializers.public_part_shape(part, catalogue.images_of(part.id)))


@bp.post("/admin/parts")
def create_part() -> ResponseReturnValue:
    part = catalogue.create_part(request_body.json_object(_PART_FIELDS, needed=("sku", "name")))
    return jsonify(serializers.part_shape(part)), 201


@bp.get("/admin/parts/<part_id>")
def part(part_id: str) -> ResponseReturnValue:
    found = catalogue.part_by_id(part_id)
    images = catalogue.images_of(part_id)
    preflight = preflight_of(found, images)
    listed = [serializers.image_shape(image) | serializers.looked_shape(image, preflight) for image in images]
    jobs = [serializers.job_shape(job) for job in queries.jobs_of(part_id)]
    more = {"images": listed, "jobs": jobs, "preflight": serializers.preflight_shape(preflight)}
    return jsonify(serializers.part_shape(found) | more)


@bp.get("/admin/parts/<part_id>/status")
def part_status(part_id: str) -> ResponseReturnValue:
    return jsonify(queries.part_status(part_id))


@bp.post("/admin/3d-models/upload-images")
def upload_images() -> ResponseReturnValue:
    """Photos for a part, put behind its others; labels in the form are those of each photo of this call."""
    request_body.begin_upload()
    request_body.check_parts(set(_UPLOAD_NAMES), {"partId", *photos.LABELS})
    part_id = request.form.get("partId", "")
    if not part_id:
        raise InvalidInput(_("The field “%(name)s” is missing.", name="partId"))
    catalogue.part_by_id(part_id)  # before the work of decoding
    labels = {name: request.form[name] for name in photos.LABELS if name in request.form}
    images = photos.add_photos(part_id, request_body.uploaded_photos(_UPLOAD_NAMES), labels)
    listed = [serializers.image_shape(image) for image in images]
    urls = [image["url"] for image in listed]
    return jsonify(success=True, uploadedCount=len(listed), urls=urls, images=listed)


@bp.put("/admin/images/<image_id>/file")
def replace_image(image_id: str) -> ResponseReturnValue:
    """Another picture in the same place with the same labels, sent as `image`; it has an id of its own."""
    request_body.begin_upload()
    request_body.check_parts({"image"}, set())
    photos.image_by_id(image_id)  # before the work of decoding
    [photo] = request_body.uploaded_photos(["image"])
    return jsonify(serializers.image_shape(photos.replace_photo(image_id, photo)))


@bp.patch("/admin/images/<image_id>")
def label_image(image_id: str) -> ResponseReturnValue:
    labels = request_body.json_object(dict.fromkeys(photos.LABELS, _TEXT))
    return jsonify(serializers.image_shape(photos.label_photo(image_id, labels)))


@bp.delete("/admin/images/<image_id>")
def delete_image(image_id: str) -> ResponseReturnValue:
    photos.delete_photo(image_id)
    return "", 204


@bp.put("/admin/parts/<part_id>/images/order")
def reorder_images(part_id: str) -> ResponseReturnValue:
    try:
        images = photos.reorder(part_id, request_body.json_ids())
    except photos.OrderChanged as conflict:
        present = [serializers.image_shape(image) for image in conflict.images]
        return jsonify(error=str(conflict), images=present), conflict.status
    return jsonify([serializers.image_shape(image) for image in images])


@bp.post("/admin/3d-models/generate")
def generate() -> ResponseReturnValue:
    known: dict[str, type | tuple[type, ...]] = {
        "partId": str,
        "selectedAngles": dict,
        "engine": _TEXT,
        "config": (dict, NoneType),
    }
    body = request_body.json_object(known, needed=("partId", "selectedAngles"))
    selected: dict[str, Any] = body["selectedAngles"]
    if not all(isinstance(image_id, str) for image_id in selected.values()):
        raise InvalidInput(_("“selectedAngles” must give a photo's id for each angle."))
    job = service.start(body["partId"], selected, body.get("engine"), body.get("config") or {}, actor())
    message = _("The model is in the queue.")
    return jsonify(success=True, jobId=job.id, meshyTaskId=job.meshy_task_id, message=message), 202


@bp.post("/admin/jobs/<job_id>/cancel")
def cancel_job(job_id: str) -> ResponseReturnValue:
    return jsonify(serializers.job_shape(service.cancel(job_id, actor())))


@bp.post("/admin/jobs/<job_id>/retry")
def retry_job(job_id: str) -> ResponseReturnValue:
    """A retry that orders and pays for a new task wants `{"pay": true}`; any other takes no body."""
    body = request_body.json_object({"pay": bool}) if request.content_length else {}
    return jsonify(serializers.job_shape(service.retry(job_id, actor(), pay=body.get("pay", False))))


@bp.post("/admin/jobs/<job_id>/optimize")
def optimize_job_again(job_id: str) -> ResponseReturnValue:
    """A new job that makes another version of the raw model that this one kept."""
    body = request_body.json_object({"level": str, "turn": _TEXT}, needed=("level",))
    job = reoptimize.optimize_again(job_id, body["level"], body.get("turn"), actor())
    return jsonify(serializers.job_shape(job)), 202


def _images(part_id: str) -> list[dict[str, Any]]:
    return [serializers.image_shape(image) for image in catalogue.images_of(part_id)]

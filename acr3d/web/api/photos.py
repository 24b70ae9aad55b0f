"""The JSON API for a part's photos."""

from __future__ import annotations

from types import NoneType
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from acr3d.errors import InvalidInput
from acr3d.parts import parts as catalogue
from acr3d.parts import photos
from acr3d.web.api import request_body, serializers
from acr3d.web.api.operation import Body, Operation, operation

_TEXT = (str, NoneType)
_UPLOAD_NAMES = [f"image{place}" for place in range(photos.PHOTOS_PER_PART)]

bp = Blueprint("api_photos", __name__, url_prefix="/api")


@bp.post("/admin/3d-models/upload-images")
@operation(Operation(form=("partId", *photos.LABELS, *_UPLOAD_NAMES)))
@request_body.takes_photos
def upload_images() -> ResponseReturnValue:
    """Add photos at the end of a part's photos. Labels in the form apply to each photo of the request.

    Without `angle_label`, the files' names may tell the angles.
    """
    request_body.check_fields(set(_UPLOAD_NAMES), {"partId", *photos.LABELS})
    part_id = request.form.get("partId", "")
    if not part_id:
        raise InvalidInput(_("The field “%(name)s” is missing.", name="partId"))
    catalogue.part_by_id(part_id)  # before the work of decoding
    labels = {name: request.form[name] for name in photos.LABELS if name in request.form}
    sent = request_body.uploaded_photos(_UPLOAD_NAMES)
    images = photos.add_photos(part_id, sent, labels, request_body.file_names(_UPLOAD_NAMES))
    listed = [serializers.image_json(image) for image in images]
    urls = [image["url"] for image in listed]
    return jsonify(success=True, uploadedCount=len(listed), urls=urls, images=listed)


@bp.put("/admin/images/<image_id>/file")
@operation(Operation(form=("image",)))
@request_body.takes_photos
def replace_image(image_id: str) -> ResponseReturnValue:
    """Replace a photo by the one sent as `image`. Place and labels are kept; the new photo has a new id."""
    request_body.check_fields({"image"}, set())
    photos.image_by_id(image_id)  # before the work of decoding
    [photo] = request_body.uploaded_photos(["image"])
    return jsonify(serializers.image_json(photos.replace_photo(image_id, photo)))


@bp.patch("/admin/images/<image_id>")
@operation(Operation(Body(dict.fromkeys(photos.LABELS, _TEXT))))
def label_image(image_id: str, body: dict[str, Any]) -> ResponseReturnValue:
    return jsonify(serializers.image_json(photos.label_photo(image_id, body)))


@bp.delete("/admin/images/<image_id>")
@operation(Operation(status=204, answer=None))
def delete_image(image_id: str) -> ResponseReturnValue:
    photos.delete_photo(image_id)
    return "", 204


@bp.put("/admin/parts/<part_id>/images/order")
@operation(Operation(takes_list=True))
def reorder_images(part_id: str) -> ResponseReturnValue:
    try:
        seen = request_body.seen_revision(None)
        images = photos.reorder(part_id, request_body.json_ids(), seen=seen)
    except photos.OrderChanged as conflict:
        present = [serializers.image_json(image) for image in conflict.images]
        return jsonify(error=str(conflict), images=present), conflict.status
    return jsonify([serializers.image_json(image) for image in images])

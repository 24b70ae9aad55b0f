"""The JSON API for parts, for staff."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from acr3d.jobs import queries
from acr3d.parts import bin, fields
from acr3d.parts import parts as catalogue
from acr3d.parts.filters import Filters
from acr3d.parts.photos import images_of
from acr3d.parts.search import load_facts
from acr3d.parts.stale import Stale
from acr3d.photo_checks.results import check_result
from acr3d.web import list_request
from acr3d.web.api import request_body, serializers
from acr3d.web.api.operation import Body, Operation, operation

bp = Blueprint("api_parts", __name__, url_prefix="/api")


@bp.get("/admin/parts")
@operation(Operation(query=("q", "cursor", "limit", "sort", "published", "category")))
def parts() -> ResponseReturnValue:
    filters = Filters(is_published=list_request.flag("published"), category=list_request.category())
    page = list_request.page_of(filters, order=list_request.order(), limit=list_request.limit())
    load_facts(page.parts)
    return jsonify(serializers.page_json(page, [serializers.part_json(part) for part in page.parts]))


@bp.post("/admin/parts")
@operation(Operation(Body(fields.json_types(), needed=fields.required_names()), status=201))
def create_part(body: dict[str, Any]) -> ResponseReturnValue:
    part = catalogue.create_part(body)
    return jsonify(serializers.part_json(part)), 201


@bp.get("/admin/parts/<part_id>")
def part(part_id: str) -> ResponseReturnValue:
    found = catalogue.part_by_id(part_id)
    images = images_of(part_id)
    photo_check = check_result(found, images)
    listed = [
        serializers.image_json(image) | serializers.image_check_json(image, photo_check) for image in images
    ]
    jobs = [serializers.job_json(job) for job in queries.jobs_of(part_id)]
    more = {"images": listed, "jobs": jobs, "preflight": serializers.photo_check_json(photo_check)}
    return _with_etag(serializers.part_json(found) | more)


@bp.patch("/admin/parts/<part_id>")
@operation(Operation(Body(fields.json_types() | {"revision": int})))
def change_part(part_id: str, body: dict[str, Any]) -> ResponseReturnValue:
    """Changes the fields that are sent, if the part is still at the revision that the caller saw."""
    seen = request_body.seen_revision(body.pop("revision", None))
    try:
        changed = catalogue.update_part(part_id, body, seen)
    except Stale as stale:
        return _present(stale)
    return _with_etag(serializers.part_json(changed))


@bp.delete("/admin/parts/<part_id>")
@operation(Operation(query=("revision",), status=204, answer=None))
def delete_part(part_id: str) -> ResponseReturnValue:
    """Puts the part into the bin."""
    try:
        bin.delete_part(part_id, request_body.seen_revision(request.args.get("revision", type=int)))
    except Stale as stale:
        return _present(stale)
    return "", 204


@bp.post("/admin/parts/<part_id>/restore")
def restore_part(part_id: str) -> ResponseReturnValue:
    return _with_etag(serializers.part_json(bin.restore_part(part_id)))


@bp.get("/admin/parts/bin")
def parts_in_bin() -> ResponseReturnValue:
    """The deleted parts that can be brought back, the last one first."""
    return jsonify(parts=[serializers.deleted_part_json(part) for part in bin.parts_in_bin()])


@bp.get("/admin/parts/<part_id>/status")
def part_status(part_id: str) -> ResponseReturnValue:
    return jsonify(queries.part_status(part_id))


def _with_etag(part: dict[str, Any]) -> Response:
    response = jsonify(part)
    response.set_etag(str(part["revision"]))
    return response


def _present(stale: Stale) -> ResponseReturnValue:
    """The refusal of a stale change: the part as it is now."""
    return jsonify(error=str(stale), part=serializers.part_json(stale.part)), stale.status

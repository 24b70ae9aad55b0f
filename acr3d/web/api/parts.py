"""The JSON API for parts, for everyone and for staff."""

from __future__ import annotations

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from acr3d.jobs import queries
from acr3d.parts import fields
from acr3d.parts import parts as catalogue
from acr3d.parts.photos import images_of
from acr3d.parts.search import search
from acr3d.photo_checks.results import check_result
from acr3d.web.api import request_body, serializers
from acr3d.web.templating import page_number

bp = Blueprint("api_parts", __name__, url_prefix="/api")


@bp.get("/parts")
def public_parts() -> ResponseReturnValue:
    page = search(request.args.get("q", "")[:200], page_number(), published_only=True)
    parts = [serializers.public_part_json(part, images_of(part.id)) for part in page.parts]
    return jsonify(parts=parts, page=page.number, pages=page.count, total=page.total)


@bp.get("/parts/<sku:sku>")
def public_part(sku: str) -> ResponseReturnValue:
    part = catalogue.part_for_public(sku)
    return jsonify(serializers.public_part_json(part, images_of(part.id)))


@bp.post("/admin/parts")
def create_part() -> ResponseReturnValue:
    part = catalogue.create_part(
        request_body.json_object(fields.json_types(), needed=fields.required_names())
    )
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
    return jsonify(serializers.part_json(found) | more)


@bp.get("/admin/parts/<part_id>/status")
def part_status(part_id: str) -> ResponseReturnValue:
    return jsonify(queries.part_status(part_id))

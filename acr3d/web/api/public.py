"""The JSON API for everyone: what customers see, for programs, also in other websites' pages."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from acr3d.parts import sku_lookup
from acr3d.parts.photos import images_of, images_of_parts
from acr3d.parts.search import PUBLISHED
from acr3d.web import list_request, request_rate, shared_cache
from acr3d.web.api import serializers
from acr3d.web.api.operation import Operation, operation

bp = Blueprint("api_public", __name__, url_prefix="/api")
bp.before_request(request_rate.count)
shared_cache.install(bp)


@bp.get("/parts")
@operation(Operation(query=("q", "cursor", "limit", "sort")))
def parts() -> ResponseReturnValue:
    page = list_request.page_of(PUBLISHED, order=list_request.order(), limit=list_request.limit())
    images = images_of_parts([part.id for part in page.parts])
    shown = [serializers.public_part_json(part, images[part.id]) for part in page.parts]
    return jsonify(serializers.page_json(page, shown))


@bp.get("/parts/<sku:sku>")
def part(sku: str) -> ResponseReturnValue:
    found = sku_lookup.part_for_public(sku)
    return jsonify(serializers.public_part_json(found, images_of(found.id)))

"""The JSON API for everyone: what customers see, for programs, also in other websites' pages."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from acr3d.parts import parts as catalogue
from acr3d.parts.photos import images_of
from acr3d.parts.search import search
from acr3d.web import request_rate, shared_cache
from acr3d.web.api import serializers
from acr3d.web.templating import asked_query, page_number

bp = Blueprint("api_public", __name__, url_prefix="/api")
bp.before_request(request_rate.count)
shared_cache.install(bp)


@bp.get("/parts")
def parts() -> ResponseReturnValue:
    page = search(asked_query(), page_number(), published_only=True)
    shown = [serializers.public_part_json(part, images_of(part.id)) for part in page.parts]
    return jsonify(parts=shown, page=page.number, pages=page.count, total=page.total)


@bp.get("/parts/<sku:sku>")
def part(sku: str) -> ResponseReturnValue:
    found = catalogue.part_for_public(sku)
    return jsonify(serializers.public_part_json(found, images_of(found.id)))

"""The JSON API for everyone: what customers see, for programs, also in other websites' pages."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from acr3d.parts import categories, sku_lookup
from acr3d.parts.photos import images_of, images_of_parts
from acr3d.parts.search import load_facts
from acr3d.web import list_request, request_rate, shared_cache
from acr3d.web.api import serializers
from acr3d.web.api.operation import Operation, operation

bp = Blueprint("api_public", __name__, url_prefix="/api")
bp.before_request(request_rate.count)
shared_cache.install(bp)


@bp.get("/parts")
@operation(Operation(query=("q", "cursor", "limit", "sort", "category", "model")))
def parts() -> ResponseReturnValue:
    page = list_request.page_of(
        list_request.published(), order=list_request.order(), limit=list_request.limit()
    )
    load_facts(page.parts)
    images = images_of_parts([part.id for part in page.parts])
    shown = [serializers.public_part_json(part, images[part.id]) for part in page.parts]
    return jsonify(serializers.page_json(page, shown))


@bp.get("/categories")
def listed_categories() -> ResponseReturnValue:
    """Categories that hold published parts."""
    nodes = [serializers.category_json(node) for node in categories.tree(published_only=True)]
    shown = [{name: value for name, value in node.items() if name != "id"} for node in nodes]
    return jsonify(categories=[node for node in shown if node["count"]])


@bp.get("/parts/<sku:sku>")
def part(sku: str) -> ResponseReturnValue:
    found = sku_lookup.part_for_public(sku)
    return jsonify(serializers.public_part_json(found, images_of(found.id)))

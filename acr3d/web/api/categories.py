"""The JSON API for categories, for staff."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from acr3d.parts import categories
from acr3d.web.api import serializers
from acr3d.web.api.operation import Body, Operation, operation

bp = Blueprint("api_categories", __name__, url_prefix="/api/admin/categories")


@bp.get("")
def listed() -> ResponseReturnValue:
    """All categories with the number of parts in them and below."""
    nodes = categories.tree(published_only=False)
    return jsonify(categories=[serializers.category_json(node) for node in nodes])


@bp.post("")
@operation(Operation(Body({"path": str}, needed=("path",)), status=201))
def create(body: dict[str, Any]) -> ResponseReturnValue:
    """Makes the category, and those above it that are missing."""
    category = categories.create(body["path"])
    return jsonify(id=category.id, path=category.path), 201


@bp.patch("/<category_id>")
@operation(Operation(Body({"name": str}, needed=("name",))))
def rename(category_id: str, body: dict[str, Any]) -> ResponseReturnValue:
    """Its parts and those below it stay in it."""
    category = categories.rename(category_id, body["name"])
    return jsonify(id=category.id, path=category.path)


@bp.delete("/<category_id>")
@operation(Operation(status=204, answer=None))
def delete(category_id: str) -> ResponseReturnValue:
    """Its parts move to the category above it."""
    categories.delete(category_id)
    return "", 204

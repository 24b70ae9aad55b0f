"""The JSON API for a part's model versions: list, publish, reject."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from acr3d.jobs import queries, review
from acr3d.parts import parts
from acr3d.web.access import actor
from acr3d.web.api import serializers

bp = Blueprint("api_versions", __name__, url_prefix="/api/admin")


@bp.get("/parts/<part_id>/versions")
def index(part_id: str) -> ResponseReturnValue:
    """Newest first."""
    parts.part_by_id(part_id)
    return jsonify([serializers.version_json(version) for version in queries.versions_of(part_id)])


@bp.post("/versions/<version_id>/publish")
def publish(version_id: str) -> ResponseReturnValue:
    """Show this version to customers. Also publishes an earlier one again."""
    return jsonify(serializers.version_json(review.publish(version_id, actor())))


@bp.post("/versions/<version_id>/reject")
def reject(version_id: str) -> ResponseReturnValue:
    return jsonify(serializers.version_json(review.reject(version_id, actor())))

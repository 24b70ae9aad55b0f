"""The JSON API's part about a part's models: see them all, publish one, go back, reject."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from acr3d import catalogue
from acr3d.extensions import csrf
from acr3d.generation import lookups, requests
from acr3d.web import shapes
from acr3d.web.guards import actor

bp = Blueprint("api_versions", __name__, url_prefix="/api/admin")
csrf.exempt(bp)  # as the API's other parts


@bp.get("/parts/<part_id>/versions")
def index(part_id: str) -> ResponseReturnValue:
    """Newest first."""
    catalogue.part_by_id(part_id)
    return jsonify([shapes.version_shape(version) for version in lookups.versions_of(part_id)])


@bp.post("/versions/<version_id>/publish")
def publish(version_id: str) -> ResponseReturnValue:
    """Show this model to customers; also the way back to an earlier one."""
    return jsonify(shapes.version_shape(requests.publish(version_id, actor())))


@bp.post("/versions/<version_id>/reject")
def reject(version_id: str) -> ResponseReturnValue:
    return jsonify(shapes.version_shape(requests.reject(version_id, actor())))

"""Points of a model that an admin marks: added and removed beside its preview."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from acr3d.db.models import ModelVersion
from acr3d.errors import InvalidInput, Missing
from acr3d.jobs import hotspots, queries
from acr3d.web.admin import live_updates

bp = Blueprint("hotspots", __name__, url_prefix="/versions/<version_id>/hotspots")
_FIELDS = ("title", "text", "position", "normal")


@bp.post("")
def add(version_id: str) -> ResponseReturnValue:
    try:
        version = hotspots.add(version_id, *(request.form.get(name, "") for name in _FIELDS))
    except Missing:
        raise
    except InvalidInput as problem:
        return _preview(queries.version_by_id(version_id), str(problem)), problem.status
    return _preview(version)


@bp.post("/<int:number>/remove")
def remove(version_id: str, number: int) -> ResponseReturnValue:
    return _preview(hotspots.remove(version_id, number))


def _preview(version: ModelVersion, problem: str | None = None) -> str:
    context = live_updates.part_context(version.part_id)
    return render_template("admin/_model_preview.html", shown=version, hotspot_problem=problem, **context)

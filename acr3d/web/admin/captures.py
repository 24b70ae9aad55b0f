"""Spin captures on a part's page: what there is, and the model made of it. Uploads go through the API."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from acr3d.captures import as_photos, captures
from acr3d.db.models import MODEL_LEVELS
from acr3d.errors import InvalidInput, Missing
from acr3d.jobs import from_captures
from acr3d.messages.wording import worded
from acr3d.photos.limits import PhotoRefused
from acr3d.web.access import actor
from acr3d.web.admin import live_updates
from acr3d.web.admin.generate_form import GenerateForm
from acr3d.web.admin.jobs import panels
from acr3d.web.admin.photos import fragments

bp = Blueprint("captures", __name__)


@bp.get("/parts/<part_id>/captures")
def index(part_id: str) -> ResponseReturnValue:
    return _fragment(part_id)


@bp.post("/captures/<capture_id>/delete")
def delete(capture_id: str) -> ResponseReturnValue:
    part_id = captures.by_id(capture_id).part_id
    captures.remove(capture_id)
    return _fragment(part_id)


@bp.post("/captures/<capture_id>/photos")
def use_as_photos(capture_id: str) -> ResponseReturnValue:
    """Responds with the part's photos, as the calls of `photos` do."""
    part_id = captures.by_id(capture_id).part_id
    try:
        as_photos.add(capture_id)
    except PhotoRefused as refusal:
        return fragments(part_id, worded(refusal.message)), 400
    except Missing:
        raise
    except InvalidInput as problem:
        return fragments(part_id, str(problem)), problem.status
    return fragments(part_id)


@bp.post("/parts/<part_id>/generate-from-captures")
def generate(part_id: str) -> ResponseReturnValue:
    level = request.form.get("level", MODEL_LEVELS[0])
    config = {} if level == MODEL_LEVELS[0] else {"level": level}
    try:
        from_captures.start(part_id, request.form.getlist("capture"), None, config, actor())
    except Missing:
        raise
    except InvalidInput as problem:
        return panels(part_id, str(problem)), problem.status
    return panels(part_id, said=_("The job has started."))


def _fragment(part_id: str) -> str:
    """The captures, and out of band what depends on them."""
    context = live_updates.part_context(part_id)
    form = GenerateForm.suggested(context["images"], context["photo_check"].best)
    return render_template("admin/_captures_update.html", generate_form=form, **context)

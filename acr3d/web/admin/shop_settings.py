"""The part of the settings page about the shop: how customers see it, and the rules for models and money."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from acr3d.errors import InvalidInput
from acr3d.shop import changes
from acr3d.web.admin import engine_settings
from acr3d.web.templating import LANGUAGES

bp = Blueprint("shop_settings", __name__, url_prefix="/settings")


@bp.post("/shop")
def save() -> ResponseReturnValue:
    chosen = [one for one in LANGUAGES if one in request.form.getlist("languages")]
    languages = "" if len(chosen) == len(LANGUAGES) else " ".join(chosen) or changes.NO_LANGUAGE
    typed = {**request.form.to_dict(), "languages": languages}
    return _saved(lambda: changes.save(typed, request.form.get("seen", "")), typed)


@bp.post("/logo")
def logo() -> ResponseReturnValue:
    sent = request.files.get("logo")
    content = sent.stream.read(changes.LOGO_BYTES + 1) if sent else b""
    if not content and "remove" not in request.form:
        return redirect(url_for("admin.engine_settings.index"), 303)
    return _saved(lambda: changes.save_logo(content, request.form.get("seen", "")), None)


@bp.post("/downloads")
def downloads() -> ResponseReturnValue:
    changes.offer_downloads("offered" in request.form)
    return _done()


def _saved(save: Callable[[], None], typed: dict[str, str] | None) -> ResponseReturnValue:
    try:
        save()
    except InvalidInput as problem:
        return engine_settings.page(problem, typed), problem.status
    return _done()


def _done() -> ResponseReturnValue:
    flash(_("Saved."), "success")
    return redirect(url_for("admin.engine_settings.index"), 303)

"""The settings page: the shop, what customers may download, and which of an engine's models orders go to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from acr3d.engines.base import EngineModel, Provider
from acr3d.engines.registry import engines
from acr3d.errors import InvalidInput
from acr3d.messages.wording import worded
from acr3d.orders import circuit_breaker, engine_models
from acr3d.shop import changes, options
from acr3d.web import labels

bp = Blueprint("engine_settings", __name__, url_prefix="/settings")


@dataclass(frozen=True)
class Choice:
    """One model as the page shows it."""

    model: EngineModel
    price: str
    is_chosen: bool


@bp.get("")
def index() -> ResponseReturnValue:
    return page()


@bp.post("/<engine>")
def choose(engine: str) -> ResponseReturnValue:
    try:
        engine_models.choose(engine, request.form.get("model", ""), request.form.get("seen", ""))
    except InvalidInput as problem:
        return page(problem), problem.status
    flash(_("Saved. New orders, and those that wait, go to this model."), "success")
    return redirect(url_for("admin.engine_settings.index"))


def with_models() -> list[Provider]:
    """The engines whose model an admin can choose."""
    return [provider for provider in engines().available() if provider.models]


def page(problem: InvalidInput | None = None, typed: dict[str, str] | None = None) -> str:
    """The whole page; `typed`: what somebody typed about the shop that was not saved."""
    tables = [
        {
            "engine": provider.name,
            "name": worded(provider.wording.name),
            "setting": provider.wording.model_setting,
            "in_use": engine_models.in_use(provider),
            "waits": engine_models.waits_for_choice(circuit_breaker.account_of(provider.account)),
            "choices": _choices(provider),
        }
        for provider in with_models()
    ]
    return render_template(
        "admin/engine_settings.html",
        tables=tables,
        problem=problem,
        offers_downloads=options.offers_downloads(),
        values=typed or _shop_values(),
        revision=changes.revision(),
    )


def _shop_values() -> dict[str, Any]:
    """What the fields about the shop hold."""
    options.forget()  # as new as the revision beside them
    config = options.current()
    holders = {name: config.shop if hasattr(config.shop, name) else config for name in options.NAMES}
    return {name: getattr(holder, name) for name, holder in holders.items()}


def _choices(provider: Provider) -> list[Choice]:
    in_use = engine_models.in_use(provider)
    return [
        Choice(model, labels.credits_about(provider.price({}, model.name)), model.name == in_use)
        for model in engine_models.choices(provider)
    ]

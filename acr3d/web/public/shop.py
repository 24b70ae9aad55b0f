"""The shop's name and logo, as every page shows them."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, abort, send_file, url_for
from flask_babel import gettext as _

from acr3d import settings
from acr3d.web.public.contact import phone_link

bp = Blueprint("shop", __name__)


def install(app: Flask) -> None:
    """Route the logo, and give templates `shop`, `shop_name()`, `shop_logo()` and `phone_link`."""
    app.register_blueprint(bp)
    app.jinja_env.globals.update(
        shop=lambda: settings.current().shop, shop_name=shop_name, shop_logo=shop_logo, phone_link=phone_link
    )


def shop_name() -> str:
    """The shop's name, or what the site is."""
    return settings.current().shop.name or _("Parts catalogue")


def shop_logo() -> str | None:
    """The logo's URL; a file that is replaced gets a new one."""
    logo = settings.current().shop.logo
    return url_for("shop.logo", v=_version()) if logo and logo.is_file() else None


@bp.get("/shop-logo")
def logo() -> Response:
    """The logo of the settings."""
    path = settings.current().shop.logo
    if path is None or not path.is_file():
        abort(404)
    response = send_file(path, mimetype=settings.LOGO_TYPES[path.suffix], max_age=86_400)
    response.headers.remove("Content-Disposition")
    return response


def _version() -> int:
    path = settings.current().shop.logo
    return path.stat().st_mtime_ns // 1_000_000_000 if path else 0

"""The shop's name, logo and colour, as every page shows them."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Flask, Response, abort, send_file, url_for
from flask_babel import gettext as _

from acr3d import settings
from acr3d.settings import Shop
from acr3d.shop import changes, colours, options
from acr3d.web.public.contact import phone_link

bp = Blueprint("shop", __name__)
_A_DAY = 86_400


def install(app: Flask) -> None:
    """Route the logo, and give templates `shop`, `shop_name()`, `shop_logo()` and `phone_link`."""
    app.register_blueprint(bp)
    app.jinja_env.globals.update(shop=shop, shop_name=shop_name, shop_logo=shop_logo, phone_link=phone_link)


def shop() -> Shop:
    """What the shop says of itself; error pages show it, too."""
    return options.last_known().shop


def shop_name() -> str:
    """The shop's name, or what the site is."""
    return shop().name or _("Parts catalogue")


def shop_logo() -> str | None:
    """The logo's URL; a logo that is replaced gets a new one."""
    if shop().logo_sha256:
        return url_for("shop.logo", v=shop().logo_sha256[:12])
    logo = shop().logo
    return url_for("shop.logo", v=_version()) if logo and logo.is_file() else None


@bp.get("/shop-logo")
def logo() -> Response:
    """The logo that was uploaded, else that of the environment."""
    if uploaded := changes.logo():
        response = Response(uploaded[0], mimetype=uploaded[1])
        response.cache_control.public, response.cache_control.max_age = True, _A_DAY
        return response
    path = settings.current().shop.logo
    if path is None or not path.is_file():
        abort(404)
    response = send_file(path, mimetype=settings.LOGO_TYPES[path.suffix], max_age=_A_DAY)
    response.headers.remove("Content-Disposition")
    return response


@bp.get("/shop-colours.css")
def stylesheet() -> Response:
    """The shop's colour in place of ours, for light and dark pages."""
    colour = colours.parsed(shop().accent)
    if colour is None:
        abort(404)
    light, dark = asdict(colours.light(colour)), asdict(colours.dark(colour))
    tokens = "".join(
        f"--{name.replace('_', '-')}: light-dark({light[name]}, {dark[name]});" for name in light
    )
    response = Response(f":root {{{tokens}}}\n", mimetype="text/css")
    response.cache_control.public, response.cache_control.max_age = True, _A_DAY
    return response


def _version() -> int:
    path = settings.current().shop.logo
    return path.stat().st_mtime_ns // 1_000_000_000 if path else 0

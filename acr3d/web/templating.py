"""What every page needs: its language, and the helpers of the templates."""

from __future__ import annotations

from urllib.parse import quote

from flask import Flask, request
from flask_babel import get_locale
from werkzeug.routing import BaseConverter

from acr3d import settings
from acr3d.messages.wording import worded
from acr3d.parts.angles import angle_name, angles
from acr3d.storage.file_size import file_size
from acr3d.storage.index import media_url
from acr3d.web import labels, vendor

LANGUAGES = ("en", "de")


class SkuConverter(BaseConverter):
    """A whole SKU, slashes and all, from a percent-encoded piece of an address."""

    regex = ".+"
    part_isolating = False

    def to_url(self, value: str) -> str:
        return quote(value, safe="")


def chosen_language() -> str:
    """The best of our languages for this reader; English when nothing fits or nobody asks."""
    return (request and request.accept_languages.best_match(LANGUAGES)) or LANGUAGES[0]


def install(app: Flask) -> None:
    """Give the routes and templates of `app` their helpers.

    Comes before the blueprints, whose routes name the converter.
    """
    app.url_map.converters["sku"] = SkuConverter
    app.url_map.merge_slashes = False  # a SKU may hold two in a row
    app.jinja_env.globals.update(
        language=language,
        vendor_script=vendor.script,
        draco_location=vendor.draco_location,
        media_url=media_url,
        absolute=absolute,
        labels=labels,
        angles=angles,
        angle_name=angle_name,
        file_size=file_size,
    )
    app.jinja_env.filters["worded"] = worded
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def page_number() -> int:
    """The page of a list that the address asks for, from 1."""
    return max(1, request.args.get("page", 1, type=int))


def language() -> str:
    """The tag of the language this page is written in."""
    return str(get_locale()).replace("_", "-")


def absolute(path: str) -> str:
    """`path` with scheme and host in front: those of ACR3D_PUBLIC_URL, else those of this request."""
    origin = settings.current().public_url or request.host_url.rstrip("/")
    return origin + path

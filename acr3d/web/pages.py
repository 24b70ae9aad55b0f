"""What every page needs: its language, the words and helpers of the templates, and pages for errors."""

from __future__ import annotations

from urllib.parse import quote

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter

from acr3d import settings
from acr3d.errors import Refused
from acr3d.gallery import media_url
from acr3d.models import Part, PartImage
from acr3d.photos import THUMBNAIL_SIDE
from acr3d.web import vendor

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
    """Give the routes and templates of `app` their helpers, and people a page instead of a bare error.

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
        angle_name=angle_name,
        photo_alt=photo_alt,
        size_name=size_name,
        thumbnail_width=thumbnail_width,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.register_error_handler(HTTPException, show_error)
    app.register_error_handler(Refused, show_refusal)


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


def angle_name(angle: str | None) -> str:
    """The name of a side for people."""
    names = {
        "front": _("Front"),
        "back": _("Back"),
        "left": _("Left"),
        "right": _("Right"),
        "top": _("Top"),
        "bottom": _("Bottom"),
    }
    return names[angle] if angle else ""


def photo_alt(image: PartImage, part: Part) -> str:
    """What the photo shows: the words somebody gave it, else the part's name and the side."""
    if image.alt_text:
        return image.alt_text
    return f"{part.name}, {angle_name(image.angle_label).lower()}" if image.angle_label else part.name


def model_alt(part: Part) -> str:
    """What the 3D model shows, for those who cannot see it."""
    known = [f"{value:g}" for value in (part.width_mm, part.height_mm, part.depth_mm) if value]
    if not known:
        return _("3D model of %(name)s", name=part.name)
    return _("3D model of %(name)s, %(size)s mm", name=part.name, size=" × ".join(known))


def has_real_size(part: Part) -> bool:
    return all((part.width_mm, part.height_mm, part.depth_mm))


def size_name(part: Part) -> str:
    """The words for the sizes that are known, in the order in which they are shown."""
    known = ((part.width_mm, _("Width")), (part.height_mm, _("Height")), (part.depth_mm, _("Depth")))
    return " × ".join(word for value, word in known if value)


def thumbnail_width(image: PartImage) -> int:
    """The width of the photo's thumbnail in pixels."""
    if not image.width_px or not image.height_px:
        return THUMBNAIL_SIDE
    longest = max(image.width_px, image.height_px)
    return round(image.width_px * min(1, THUMBNAIL_SIDE / longest))


def show_refusal(refusal: Refused) -> ResponseReturnValue:
    titles = {404: _("Not found"), 409: _("It has changed meanwhile")}
    return _page(refusal.status, titles.get(refusal.status, _("That did not work")), str(refusal))


def show_error(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or (error.code or 500) < 400:
        return error
    code = error.code or 500
    title, sentence = _words(code)
    return _page(code, title, sentence)


def _words(code: int) -> tuple[str, str]:
    if code == 404:
        return _("Not found"), _("There is no page at this address. It may have been moved or deleted.")
    if code == 403:
        return _("Not allowed"), _("Your account may not do this. An admin can.")
    if code == 413:
        return _("Too large"), _("What was sent is too large. A photo may have up to 20 MB.")
    if code == 429:
        return _("Too many tries"), _("Please wait a minute, then try again.")
    if code < 500:
        return _("That did not work"), _("The request was not understood. Go back, load the page anew, try again.")
    return _("Something broke"), _("This is our fault. Nothing of yours was changed; please try again later.")


def _page(code: int, title: str, sentence: str) -> ResponseReturnValue:
    return render_template("error.html", code=code, title=title, sentence=sentence), code

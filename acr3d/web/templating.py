"""The environment of all pages: language and template helpers."""

from __future__ import annotations

from urllib.parse import quote

from flask import Flask, abort, g, request
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.routing import BaseConverter

from acr3d import settings
from acr3d.clean_photos.shown import as_taken, clean_of, on_white, shown
from acr3d.messages.wording import worded
from acr3d.parts import categories, search_query
from acr3d.parts.angles import angle_name, angles, guess_sentence
from acr3d.photos import formats, limits
from acr3d.shop import options
from acr3d.storage.file_size import file_size
from acr3d.storage.index import media_url
from acr3d.web import access, badges, fact_labels, labels, photo_sources, vendor

LANGUAGE_NAMES = {"en": "English", "de": "Deutsch", "es": "Español"}
LANGUAGES = tuple(LANGUAGE_NAMES)


class SkuConverter(BaseConverter):
    """A whole SKU, slashes included, from a percent-encoded part of the URL."""

    regex = ".+"
    part_isolating = False

    def to_url(self, value: str) -> str:
        return quote(value, safe="")


def chosen_language() -> str:
    """The page's own language; else the one in the account; else the best for the browser, else English."""
    if "page_language" in g:
        return str(g.page_language)
    if not request:
        return LANGUAGES[0]
    if is_for_staff():
        return access.chosen_language() or request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]
    offered = offered_languages()
    return request.accept_languages.best_match(offered) or offered[0]


def offered_languages() -> tuple[str, ...]:
    """The languages of the public pages: those that admins chose, else all."""
    chosen = options.last_known().shop.languages.split()
    return tuple(one for one in LANGUAGES if one in chosen) or LANGUAGES


def is_for_staff() -> bool:
    """Whether this address is never shared by caches, so that it may depend on who asks."""
    return request.path.startswith(("/admin", "/api/admin/", "/account/"))


def install(app: Flask) -> None:
    """Add the helpers of routes and templates to `app`.

    Call this before registering the blueprints, whose routes use the converter.
    """
    app.url_map.converters["sku"] = SkuConverter
    app.url_map.merge_slashes = False  # a SKU may contain two in a row
    app.jinja_env.globals.update(
        language=language,
        language_names=LANGUAGE_NAMES,
        vendor_script=vendor.script,
        draco_location=vendor.draco_location,
        media_url=media_url,
        category_paths=categories.paths,
        absolute=absolute,
        badges=badges,
        labels=labels,
        fact_labels=fact_labels,
        angles=angles,
        angle_name=angle_name,
        guess_sentence=guess_sentence,
        file_size=file_size,
        photo_sources=photo_sources,
        shown_photo=shown,
        clean_photo=clean_of,
        photo_as_taken=as_taken,
        photo_on_white=on_white,
        photo_formats=formats,
        photo_limits=limits,
    )
    app.jinja_env.filters["worded"] = worded
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def page_number() -> int:
    """The requested page of a list, from 1."""
    return max(1, request.args.get("page", 1, type=int))


def asked_query() -> str:
    """What is searched for. Answers 400 for a longer text than anybody types."""
    query = request.args.get("q", "").strip()
    if len(query) > search_query.LONGEST:
        abort(400, _("A search takes up to %(n)s characters. Use fewer words.", n=search_query.LONGEST))
    return query


def language() -> str:
    """The language tag of this page."""
    return str(get_locale()).replace("_", "-")


def absolute(path: str) -> str:
    """`path` as an absolute URL: with the host of ACR3D_PUBLIC_URL, else that of this request."""
    origin = settings.current().public_url or (request.host and request.host_url.rstrip("/"))
    return origin + path

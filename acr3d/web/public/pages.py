"""The pages for customers. They only depend on published parts and published models."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from acr3d.db.models import Part
from acr3d.jobs import model_files, queries
from acr3d.jobs.true_size import true_size
from acr3d.parts import categories, photos, sku_lookup
from acr3d.parts.filters import Filters
from acr3d.parts.photos import images_of
from acr3d.parts.related import related_parts
from acr3d.storage.index import media_url
from acr3d.web import list_request, request_rate, shared_cache
from acr3d.web.labels import model_alt, model_size_mm
from acr3d.web.public.ar_link import scene_viewer
from acr3d.web.public.contact import contacts
from acr3d.web.public.downloads import links
from acr3d.web.public.languages import leave_other_languages
from acr3d.web.public.placeholder import drawing
from acr3d.web.public.qr_code import qr_code
from acr3d.web.templating import absolute, asked_query

bp = Blueprint("public", __name__)
shared_cache.install(bp)
bp.before_request(leave_other_languages)


@bp.get("/")
def catalogue() -> ResponseReturnValue:
    list_request.leave_numbered_pages()
    if asked_query():
        request_rate.count()
    order, filters = list_request.order(), list_request.published()
    # All parts with a model have a picture.
    usual = "" if asked_query() or filters.has_model else "pictures"
    page = list_request.page_of(filters, order=order or usual)
    covers = photos.covers_of([part.id for part in page.parts])
    return render_template(
        "public/catalogue.html",
        page=page,
        covers=covers,
        posters=queries.posters_of([part.id for part in page.parts if part.id not in covers]),
        drawing=drawing,
        order=order,
        orders=_orders(bool(page.query)),
        shown=_shown(page.query, order, filters),
        shelves=categories.shelves(g.stamp.value),
    )


@bp.get("/parts/<sku:sku>")
def part(sku: str) -> ResponseReturnValue:
    found = sku_lookup.part_for_public(sku)
    shown = part_context(found)
    # Following the code scrolls to the model and brings its AR button out.
    address = absolute(url_for("public.part", sku=found.sku, _anchor="ar" if shown["version"] else None))
    return render_template(
        "public/part.html",
        **shown,
        contacts=contacts(found),
        downloads=links(found, shown["version"], shown["files"], has_photos=bool(shown["images"])),
        qr_code=qr_code(address),
        drawing=drawing,
        related=related_parts(found),
    )


@bp.get("/embed/<sku:sku>")
def embed(sku: str) -> ResponseReturnValue:
    return render_template("public/embed.html", **part_context(sku_lookup.part_for_public(sku)))


def _shown(query: str, order: str, filters: Filters) -> dict[str, str]:
    """What the address of this list says, but for the place in it."""
    category = filters.category.path if filters.category else ""
    named = {"q": query, "category": category, "model": "true" if filters.has_model else "", "sort": order}
    return {name: value for name, value in named.items() if value}


def _orders(is_search: bool) -> list[tuple[str, str]]:
    """The ways to sort the catalogue, the usual one first."""
    usual = _("Best match") if is_search else _("With pictures first")
    return [("", usual), ("name", _("Name")), ("sku", _("Part number")), ("newest", _("Newest"))]


def part_context(part: Part) -> dict[str, Any]:
    """Everything a part's page shows, without photos that are not imported yet."""
    version, files = model_files.published(part.id)
    g.viewer_page = version is not None
    size = true_size(version, part) if version else None
    is_true_size = size is not None and size.is_true
    size_mm = model_size_mm(size) if size else None
    images = [image for image in images_of(part.id) if image.storage_path]
    sides = {image.angle_label for image in images if image.angle_label}
    return {
        "part": part,
        "scene_viewer": scene_viewer(version, part, is_true_size) if version else None,
        "quick_look": media_url(files["usdz"].storage_path or "") if "usdz" in files else None,
        "light": files.get("light"),
        "files": files,
        "images": images,
        "version": version,
        "sides": sides,
        "alt": model_alt(part, size_mm, sides),
        "true_size": is_true_size,
        "size_mm": size_mm,
    }

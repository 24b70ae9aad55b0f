"""The pages for customers. They only depend on published parts and published models."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from acr3d.db.models import Part
from acr3d.jobs import queries
from acr3d.jobs.true_size import true_size
from acr3d.parts import photos, sku_lookup
from acr3d.parts.photos import images_of
from acr3d.web import list_request, request_rate, shared_cache
from acr3d.web.labels import model_alt, model_size_mm
from acr3d.web.public.ar_link import scene_viewer
from acr3d.web.public.contact import contacts
from acr3d.web.public.placeholder import drawing
from acr3d.web.public.qr_code import qr_code
from acr3d.web.templating import absolute, asked_query

bp = Blueprint("public", __name__)
shared_cache.install(bp)


@bp.get("/")
def catalogue() -> ResponseReturnValue:
    list_request.leave_numbered_pages()
    if asked_query():
        request_rate.count()
    order, filters = list_request.order(), list_request.published()
    page = list_request.page_of(filters, order=order or ("" if asked_query() else "pictures"))
    covers = photos.covers_of([part.id for part in page.parts])
    return render_template(
        "public/catalogue.html",
        page=page,
        covers=covers,
        posters=queries.posters_of([part.id for part in page.parts if part.id not in covers]),
        drawing=drawing,
        order=order,
        orders=_orders(bool(page.query)),
        shown={name: value for name, value in (("q", page.query), ("sort", order)) if value},
    )


@bp.get("/parts/<sku:sku>")
def part(sku: str) -> ResponseReturnValue:
    found = sku_lookup.part_for_public(sku)
    shown = part_context(found)
    # Following the code scrolls to the model and brings its AR button out.
    address = absolute(url_for("public.part", sku=found.sku, _anchor="ar" if shown["version"] else None))
    return render_template(
        "public/part.html", **shown, contacts=contacts(found), qr_code=qr_code(address), drawing=drawing
    )


@bp.get("/embed/<sku:sku>")
def embed(sku: str) -> ResponseReturnValue:
    return render_template("public/embed.html", **part_context(sku_lookup.part_for_public(sku)))


def _orders(is_search: bool) -> list[tuple[str, str]]:
    """The ways to sort the catalogue, the usual one first."""
    usual = _("Best match") if is_search else _("With pictures first")
    return [("", usual), ("name", _("Name")), ("sku", _("Part number")), ("newest", _("Newest"))]


def part_context(part: Part) -> dict[str, Any]:
    """Everything a part's page shows, without photos that are not imported yet."""
    version = queries.published_version(part.id)
    g.viewer_page = version is not None
    size = true_size(version, part) if version else None
    is_true_size = size is not None and size.is_true
    size_mm = model_size_mm(size) if size else None
    images = [image for image in images_of(part.id) if image.storage_path]
    sides = {image.angle_label for image in images if image.angle_label}
    return {
        "part": part,
        "scene_viewer": scene_viewer(version, part, is_true_size) if version else None,
        "images": images,
        "version": version,
        "sides": sides,
        "alt": model_alt(part, size_mm, sides),
        "true_size": is_true_size,
        "size_mm": size_mm,
    }

"""What crawlers ask for first: robots.txt, and the site map, an index of files of parts with their photos."""

from __future__ import annotations

import math
from collections.abc import Iterator
from xml.sax.saxutils import escape

from flask import Blueprint, Response, abort, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from acr3d.parts import sitemap
from acr3d.web import shared_cache
from acr3d.web.templating import absolute

FILE_PARTS = 10_000
"""The protocol allows 50,000 addresses and 50 MB; six photos each would come to 40 MB."""
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SITEMAP = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
_IMAGE = 'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'

bp = Blueprint("sitemap", __name__)
shared_cache.install(bp)


@bp.get("/robots.txt")
def robots() -> ResponseReturnValue:
    lines = [
        "User-agent: *",
        "Disallow: /admin/",
        "Disallow: /api/admin/",
        "Disallow: /login",
        "Disallow: /downloads/",
    ]
    site_map = f"Sitemap: {absolute(url_for('sitemap.index'))}"
    return Response("\n".join([*lines, site_map, ""]), mimetype="text/plain")


@bp.get("/sitemap.xml")
def index() -> ResponseReturnValue:
    count = max(1, math.ceil(sitemap.count_parts() / FILE_PARTS))
    addresses = (absolute(url_for("sitemap.parts", number=number)) for number in range(1, count + 1))
    files = "".join(f"<sitemap><loc>{escape(one)}</loc></sitemap>\n" for one in addresses)
    return _xml([f"{_HEAD}<sitemapindex {_SITEMAP}>\n{files}</sitemapindex>\n"])


@bp.get("/sitemaps/<int:number>.xml")
def parts(number: int) -> ResponseReturnValue:
    first = (number - 1) * FILE_PARTS
    if number < 1 or (number > 1 and first >= sitemap.count_parts()):
        abort(404)
    return _xml(stream_with_context(_urls(number, first)))


def _urls(number: int, first: int) -> Iterator[str]:
    yield f"{_HEAD}<urlset {_SITEMAP} {_IMAGE}>\n"
    if number == 1:
        yield f"<url><loc>{escape(absolute(url_for('public.catalogue')))}</loc></url>\n"
    origin = absolute("")
    for part in sitemap.parts(first, FILE_PARTS):
        images = "".join(
            f"<image:image><image:loc>{escape(origin + one)}</image:loc></image:image>" for one in part.images
        )
        address = escape(absolute(url_for("public.part", sku=part.sku)))
        changed = part.updated_at.isoformat(timespec="seconds")
        yield f"<url><loc>{address}</loc><lastmod>{changed}</lastmod>{images}</url>\n"
    yield "</urlset>\n"


def _xml(pieces: list[str] | Iterator[str]) -> Response:
    return Response(pieces, mimetype="application/xml")

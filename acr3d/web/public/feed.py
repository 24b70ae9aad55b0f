"""Feeds for shopping sites: Google Merchant Center's RSS, and the same attributes as CSV.

Source: "Product data specification" in Google's Merchant Center Help. It refuses entries without price,
availability or picture, so such parts are left out.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from xml.sax.saxutils import escape

from flask import Blueprint, Response, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from acr3d.clean_photos.shown import shown
from acr3d.db.models import ModelVersion, Part, PartImage
from acr3d.jobs import queries
from acr3d.parts import feed
from acr3d.parts.categories import SEPARATOR
from acr3d.parts.photos import images_of_parts
from acr3d.storage.index import media_url
from acr3d.web import request_rate, shared_cache
from acr3d.web.public.shop import shop_name
from acr3d.web.streaming import streamed
from acr3d.web.templating import absolute

FIELDS = (
    "id", "title", "description", "link", "image_link", "additional_image_link", "availability", "condition",
    "price", "brand", "gtin", "mpn", "identifier_exists", "product_type", "product_weight", "product_width",
    "product_height", "product_length", "virtual_model_link",
)  # fmt: skip
_AVAILABILITY = {"in_stock": "in_stock", "out_of_stock": "out_of_stock", "on_order": "backorder"}
_LONGEST = {"id": 50, "title": 150, "description": 5000, "brand": 70, "mpn": 70, "product_type": 750}
_MOST_PICTURES = 10
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # what XML 1.0 cannot hold
_CENTIMETRES = (1, 400)  # what a size may be
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>\n'
)

Item = dict[str, list[str]]

bp = Blueprint("feed", __name__)
bp.before_request(request_rate.count)
shared_cache.install(bp)


@bp.get("/feeds/google.xml")
def google() -> ResponseReturnValue:
    return Response(stream_with_context(streamed(_rss())), mimetype="application/rss+xml")


@bp.get("/feeds/google.csv")
def table() -> ResponseReturnValue:
    return Response(stream_with_context(streamed(_csv())), mimetype="text/csv")


def _rss() -> Iterator[str]:
    title, home = escape(shop_name()), escape(absolute("/"))
    yield f"{_HEAD}<title>{title}</title><link>{home}</link><description>{title}</description>\n"
    for items in _items():
        yield "".join(map(_rss_item, items))
    yield "</channel></rss>\n"


def _rss_item(item: Item) -> str:
    tags = (
        f"<g:{name}>{escape(_NO_XML.sub(' ', value))}</g:{name}>"
        for name, values in item.items()
        for value in values
    )
    return f"<item>{''.join(tags)}</item>\n"


def _csv() -> Iterator[str]:
    yield _csv_lines([FIELDS])
    for items in _items():
        yield _csv_lines([",".join(item.get(name, [])) for name in FIELDS] for item in items)


def _csv_lines(rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _items() -> Iterator[list[Item]]:
    for parts in feed.offers():
        ids = [part.id for part in parts]
        images, versions = images_of_parts(ids), queries.published_versions(ids)
        items = (_item(part, images[part.id], versions.get(part.id)) for part in parts)
        yield [item for item in items if item is not None]


def _item(part: Part, images: Sequence[PartImage], version: ModelVersion | None) -> Item | None:
    """The attributes of a part that has a picture."""
    pictures = [absolute(shown(image).url) for image in images if image.storage_path]
    if version and version.poster_path:
        pictures.append(absolute(media_url(version.poster_path)))
    if not pictures:
        return None
    numbers = {row.kind: row.value for row in reversed(part.number_rows)}
    given = {
        "id": part.sku if len(part.sku) <= _LONGEST["id"] else part.id,
        "title": part.name,
        "description": part.description or part.name,
        "link": absolute(url_for("public.part", sku=part.sku)),
        "image_link": pictures[0],
        "availability": _AVAILABILITY[part.availability or ""],
        "condition": part.condition or "new",
        "price": f"{_amount(part.price or 0)} {part.currency}",
        "brand": part.brand,
        "gtin": numbers.get("gtin"),
        "mpn": numbers.get("mpn"),
        "identifier_exists": None if "gtin" in numbers or ("mpn" in numbers and part.brand) else "no",
        "product_type": part.category.replace(SEPARATOR, " > ") if part.category else None,
        "product_weight": f"{part.weight_g:g} g" if part.weight_g else None,
        "product_width": _size(part.width_mm),
        "product_height": _size(part.height_mm),
        "product_length": _size(part.depth_mm),
        "virtual_model_link": _model_link(version),
    }
    found = {name: [value[: _LONGEST.get(name)]] for name, value in given.items() if value}
    more = pictures[1 : 1 + _MOST_PICTURES]
    return found | ({"additional_image_link": more} if more else {})


def _amount(price: float) -> str:
    """With two digits behind the point, or three where the currency has them."""
    return f"{price:.2f}" if round(price, 2) == price else f"{price:.3f}"


def _size(millimetres: float | None) -> str | None:
    centimetres = (millimetres or 0) / 10
    least, most = _CENTIMETRES
    return f"{centimetres:g} cm" if least <= centimetres <= most else None


def _model_link(version: ModelVersion | None) -> str | None:
    return absolute(media_url(version.ar_storage_path or version.storage_path)) if version else None

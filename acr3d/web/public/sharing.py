"""A part on other sites: its picture for links, its embed code, and oEmbed (oembed.com)."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from flask import Blueprint, Response, abort, current_app, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from acr3d import settings
from acr3d.clean_photos.shown import shown
from acr3d.db.models import Part, PartImage
from acr3d.jobs import queries
from acr3d.parts import photos, sku_lookup
from acr3d.storage.blobs import storage
from acr3d.web import request_rate, shared_cache
from acr3d.web.public.card_version import card_version
from acr3d.web.public.shop import shop_name
from acr3d.web.static import FOREVER
from acr3d.web.templating import absolute

AR_FEATURES = "accelerometer; camera; fullscreen; gyroscope; xr-spatial-tracking"
"""What the page around the frame must allow for AR (Permissions Policy)."""
WIDTH, HEIGHT = 640, 480
_CARD = (1200, 630)
_A_DAY = "public, max-age=3600, s-maxage=86400"

bp = Blueprint("sharing", __name__)
shared_cache.install(bp)
_one_at_a_time = threading.Lock()  # drawing takes a processor and some megabytes


@bp.record_once
def _add_helpers(state: Any) -> None:
    state.app.jinja_env.globals.update(embed_code=embed_code)


def embed_code(part: Part, width: int = WIDTH, height: int = HEIGHT) -> str:
    """The HTML that shows the part in another site's page."""
    return render_template(
        "public/_embed_code.html", part=part, width=width, height=height, allow=AR_FEATURES
    ).strip()


@bp.get("/cards/<sku:sku>.jpg")
def part_card(sku: str) -> ResponseReturnValue:
    """The picture of 1200 × 630 that stands for a link to the part."""
    part = sku_lookup.part_for_public(sku)
    cover = photos.covers_of([part.id]).get(part.id)
    is_versioned = request.args.get("v") == card_version(part, cover)
    return _card(_picture_of(part, cover), part.name, (part.sku,), is_versioned)


@bp.get("/card.jpg")
def shop_card() -> ResponseReturnValue:
    return _card(None, shop_name(), (urlsplit(absolute("")).netloc,), is_versioned=False)


@bp.get("/oembed")
def oembed() -> ResponseReturnValue:
    """How to embed the part whose page's address is `url`."""
    request_rate.count()
    if request.args.get("format", "json") != "json":
        abort(501, _("oEmbed answers are given as JSON only."))
    part = _part_at(request.args.get("url", ""))
    width, height = _side("maxwidth", WIDTH), _side("maxheight", HEIGHT)
    answer = {
        "version": "1.0",
        "type": "rich",
        "title": part.name,
        "provider_name": shop_name(),
        "provider_url": absolute("/"),
        "cache_age": 3600,
        "html": embed_code(part, width, height),
        "width": width,
        "height": height,
    }
    if _side("maxwidth", _CARD[0]) == _CARD[0] and _side("maxheight", _CARD[1]) == _CARD[1]:
        cover = photos.covers_of([part.id]).get(part.id)
        card = absolute(url_for("sharing.part_card", sku=part.sku, v=card_version(part, cover)))
        answer |= {"thumbnail_url": card, "thumbnail_width": _CARD[0], "thumbnail_height": _CARD[1]}
    return jsonify(answer)


def _picture_of(part: Part, cover: PartImage | None) -> Path | None:
    """The cover as customers see it, or else the model's poster."""
    key = shown(cover).storage_path if cover else None
    if key is None:
        version = queries.published_version(part.id)
        key = version.poster_path if version else None
    path = storage().path(key) if key else None
    return path if path and path.is_file() else None


def _card(picture: Path | None, heading: str, lines: tuple[str, ...], is_versioned: bool) -> Response:
    from acr3d.photos.share_card import share_card  # only now: pages need none of Pillow's memory

    request_rate.count()
    with _one_at_a_time:
        jpeg = share_card(picture, heading, lines)
    answer = Response(jpeg, mimetype="image/jpeg")
    answer.headers["Cache-Control"] = FOREVER if is_versioned else _A_DAY
    return answer


def _side(name: str, otherwise: int) -> int:
    """The smaller of what was asked for and `otherwise`, in CSS pixels."""
    most = request.args.get(name, otherwise, type=int)
    return max(1, min(otherwise, most))


def _part_at(url: str) -> Part:
    """The part whose page's address is `url`, also by a SKU that it had before. Raises Gone or Missing."""
    sku = _sku_of(url)
    try:
        return sku_lookup.part_for_public(sku)
    except sku_lookup.Renamed as renamed:
        return sku_lookup.part_for_public(renamed.sku)


def _sku_of(url: str) -> str:
    """The SKU in the address of a part's page, or of its embedded page. Answers 404 for another address."""
    try:
        split = urlsplit(url)
        ours = urlsplit(settings.current().public_url or request.host_url)
        adapter = current_app.url_map.bind(ours.netloc)
        endpoint, values = adapter.match(unquote(split.path), method="GET")
    except (ValueError, HTTPException, RequestRedirect):
        abort(404)
    if split.netloc.lower() != ours.netloc or endpoint not in ("public.part", "public.embed"):
        abort(404)
    return str(values["sku"])

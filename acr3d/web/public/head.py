"""What the `<head>` of a public page says to search engines, chats and other sites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from acr3d.db.models import ModelVersion, Part, PartImage
from acr3d.web.public import structured_data
from acr3d.web.public.languages import language_urls, page_url
from acr3d.web.public.shop import shop_name
from acr3d.web.templating import absolute

_LOCALES = {"en": "en_US", "de": "de_DE"}
_DESCRIPTION_LENGTH = 155


@dataclass(frozen=True)
class PageHead:
    """The contents of `public/_head.html`. All URLs are absolute."""

    title: str
    description: str
    url: str
    picture: str  # a JPEG of 1200 × 630
    kind: str
    structured: Sequence[dict[str, Any]]
    oembed: str | None = None
    is_indexed: bool = True

    @property
    def languages(self) -> dict[str, str]:
        return language_urls() if self.is_indexed else {}

    @property
    def locale(self) -> str:
        return _LOCALES[str(get_locale())]

    @property
    def site(self) -> str:
        return shop_name()


def install(app: Flask) -> None:
    app.jinja_env.globals.update(part_head=part_head, list_head=list_head)


def part_head(part: Part, images: Sequence[PartImage], version: ModelVersion | None) -> PageHead:
    """The head of a part's page."""
    url, catalogue = page_url(), absolute(url_for("public.catalogue"))
    return PageHead(
        title=f"{part.name} · {part.sku}",
        description=_shortened(part.description or f"{part.name}, {part.sku}"),
        url=url,
        picture=share_picture(part),
        kind="product",
        structured=[
            structured_data.product(part, images, version, url, share_picture(part)),
            structured_data.trail([(_("All parts"), catalogue), (part.name, url)]),
        ],
        oembed=absolute(url_for("sharing.oembed", url=absolute(url_for("public.part", sku=part.sku)))),
    )


def list_head(title: str, description: str) -> PageHead:
    """The head of a list of parts; search engines leave out what was searched for."""
    picture = absolute(url_for("sharing.shop_card"))
    is_indexed = not request.args.get("q")
    return PageHead(title, description, page_url(), picture, "website", [], is_indexed=is_indexed)


def share_picture(part: Part) -> str:
    """The picture of the part for chats and social networks; a changed part has another URL."""
    return absolute(url_for("sharing.part_card", sku=part.sku, v=part.revision))


def _shortened(text: str) -> str:
    """The text in one line, cut between words."""
    words = " ".join(text.split())
    if len(words) <= _DESCRIPTION_LENGTH:
        return words
    return words[:_DESCRIPTION_LENGTH].rpartition(" ")[0] + " …"

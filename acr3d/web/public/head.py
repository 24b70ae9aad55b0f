"""What the `<head>` of a public page says to search engines, chats and other sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from acr3d.db.models import ModelFile, ModelVersion, Part, PartImage
from acr3d.parts.categories import SEPARATOR
from acr3d.web.public import structured_data
from acr3d.web.public.card_version import card_version
from acr3d.web.public.languages import language_urls, page_url
from acr3d.web.public.shop import shop, shop_logo, shop_name
from acr3d.web.templating import absolute

_LOCALES = {"en": "en_US", "de": "de_DE", "es": "es_ES"}
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
    app.jinja_env.globals.update(part_head=part_head, list_head=list_head, language_urls=language_urls)


def part_head(
    part: Part,
    images: Sequence[PartImage],
    version: ModelVersion | None,
    files: Mapping[str, ModelFile],
) -> PageHead:
    """The head of a part's page."""
    url = page_url()
    return PageHead(
        title=f"{part.name} · {part.sku}",
        description=_shortened(part.description or f"{part.name}, {part.sku}"),
        url=url,
        picture=share_picture(part, images),
        kind="product",
        structured=[
            structured_data.product(part, images, version, files, url, share_picture(part, images)),
            structured_data.trail([*_way_to(part.category or ""), (part.name, url)]),
        ],
        oembed=absolute(url_for("sharing.oembed", url=absolute(url_for("public.part", sku=part.sku)))),
    )


def list_head(title: str, description: str, category: str = "") -> PageHead:
    """The head of a list of parts; search engines leave out what was searched for."""
    picture = absolute(url_for("sharing.shop_card"))
    is_indexed = not (request.args.get("q") or request.args.get("model"))
    if category:
        structured = [structured_data.trail(_way_to(category))]
    else:
        logo = shop_logo()
        home = absolute(url_for("public.catalogue", lang=None))
        structured = [structured_data.shop(shop(), home, absolute(logo) if logo else None)]
    return PageHead(title, description, page_url(), picture, "website", structured, is_indexed=is_indexed)


def _way_to(category: str) -> list[tuple[str, str]]:
    """The names and URLs of the catalogue and the categories down to this one."""
    names = category.split(SEPARATOR) if category else []
    paths = [SEPARATOR.join(names[:depth]) for depth in range(1, len(names) + 1)]
    steps = [
        (name, absolute(url_for("public.catalogue", category=path)))
        for name, path in zip(names, paths, strict=True)
    ]
    return [(_("All parts"), absolute(url_for("public.catalogue"))), *steps]


def share_picture(part: Part, images: Sequence[PartImage]) -> str:
    """The picture of the part for chats and social networks; a changed part has another URL."""
    cover = next((image for image in images if image.display_order == 0), None)
    return absolute(url_for("sharing.part_card", sku=part.sku, v=card_version(part, cover)))


def _shortened(text: str) -> str:
    """The text in one line, cut between words."""
    words = " ".join(text.split())
    if len(words) <= _DESCRIPTION_LENGTH:
        return words
    return words[:_DESCRIPTION_LENGTH].rpartition(" ")[0] + " …"

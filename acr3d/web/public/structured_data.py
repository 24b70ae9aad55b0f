"""Parts in the words of schema.org, as JSON-LD.

Sources: schema.org, and "Product" and "3D model" in Google's documentation for search.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from acr3d.clean_photos.shown import shown
from acr3d.db.models import ModelFile, ModelVersion, Part, PartImage
from acr3d.settings import Shop
from acr3d.storage.index import MEDIA_TYPES, media_url
from acr3d.web.templating import absolute

_CONTEXT = "https://schema.org"
_MILLIMETRE = "MMT"  # UN/CEFACT Recommendation 20
_GRAM = "GRM"
_AVAILABILITY = {"in_stock": "InStock", "out_of_stock": "OutOfStock", "on_order": "BackOrder"}
_CONDITION = {"new": "NewCondition", "used": "UsedCondition", "refurbished": "RefurbishedCondition"}


def product(
    part: Part,
    images: Sequence[PartImage],
    version: ModelVersion | None,
    files: Mapping[str, ModelFile],
    url: str,
    picture: str,
) -> dict[str, Any]:
    """The part as a `Product`. `picture`: shown where it has no photo; `files`: the model's."""
    found: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "Product",
        "@id": f"{absolute('')}/#{part.id}",
        "url": url,
        "name": part.name,
        "sku": part.sku,
        "image": [absolute(shown(image).url) for image in images] or [picture],
    }
    if part.description:
        found["description"] = part.description
    if part.brand:
        found["brand"] = {"@type": "Brand", "name": part.brand}
    for kind in ("gtin", "mpn"):
        if values := [number.value for number in part.number_rows if number.kind == kind]:
            found[kind] = values[0]
    if part.weight_g:
        found["weight"] = {"@type": "QuantitativeValue", "value": part.weight_g, "unitCode": _GRAM}
    for name in ("width", "height", "depth"):
        if (value := getattr(part, f"{name}_mm")) is not None:
            found[name] = {"@type": "QuantitativeValue", "value": value, "unitCode": _MILLIMETRE}
    if part.price is not None and part.currency:
        found["offers"] = _offer(part, url)
    if version is not None:
        found["subjectOf"] = _model(part, version, files.get("usdz"))
    return found


def shop(config: Shop, url: str, logo: str | None) -> dict[str, Any]:
    """The shop as an `Organization`, as far as it says who it is."""
    shown = {"@context": _CONTEXT, "@type": "Organization", "@id": f"{absolute('')}/#shop", "url": url}
    told = {"name": config.name, "email": config.email, "telephone": config.phone, "logo": logo}
    return shown | {name: value for name, value in told.items() if value}


def trail(steps: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The way from the catalogue to a page, as names and URLs."""
    items = [
        {"@type": "ListItem", "position": place, "name": name, "item": url}
        for place, (name, url) in enumerate(steps, start=1)
    ]
    return {"@context": _CONTEXT, "@type": "BreadcrumbList", "itemListElement": items}


def _offer(part: Part, url: str) -> dict[str, Any]:
    offer = {
        "@type": "Offer",
        "url": url,
        "price": f"{part.price:.3f}".rstrip("0").rstrip("."),
        "priceCurrency": part.currency,
    }
    if part.availability:
        offer["availability"] = f"{_CONTEXT}/{_AVAILABILITY[part.availability]}"
    if part.condition:
        offer["itemCondition"] = f"{_CONTEXT}/{_CONDITION[part.condition]}"
    return offer


def _model(part: Part, version: ModelVersion, usdz: ModelFile | None) -> dict[str, Any]:
    files = [_file(version.storage_path, version.file_size_bytes)]
    if usdz is not None and usdz.storage_path:
        files.append(_file(usdz.storage_path, usdz.file_size_bytes))
    model: dict[str, Any] = {"@type": "3DModel", "name": part.name, "encoding": files}
    if version.poster_path:
        model["image"] = absolute(media_url(version.poster_path))
    return model


def _file(key: str, size: int) -> dict[str, Any]:
    return {
        "@type": "MediaObject",
        "contentUrl": absolute(media_url(key)),
        "encodingFormat": MEDIA_TYPES[PurePosixPath(key).suffix],
        "contentSize": f"{size} B",
    }

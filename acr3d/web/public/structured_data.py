"""Parts in the words of schema.org, as JSON-LD.

Sources: schema.org, and "Product" and "3D model" in Google's documentation for search.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from acr3d.db.models import ModelVersion, Part, PartImage
from acr3d.storage.index import media_url
from acr3d.web.templating import absolute

_CONTEXT = "https://schema.org"
_MILLIMETRE = "MMT"  # UN/CEFACT Recommendation 20
_GRAM = "GRM"
_AVAILABILITY = {"in_stock": "InStock", "out_of_stock": "OutOfStock", "on_order": "BackOrder"}
_CONDITION = {"new": "NewCondition", "used": "UsedCondition", "refurbished": "RefurbishedCondition"}
_GLB = "model/gltf-binary"


def product(
    part: Part, images: Sequence[PartImage], version: ModelVersion | None, url: str, picture: str
) -> dict[str, Any]:
    """The part as a `Product`; `picture` stands for it where it has no photo."""
    shown: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "Product",
        "@id": f"{absolute('')}/#{part.id}",
        "url": url,
        "name": part.name,
        "sku": part.sku,
        "image": [absolute(image.image_url) for image in images] or [picture],
    }
    if part.description:
        shown["description"] = part.description
    if part.brand:
        shown["brand"] = {"@type": "Brand", "name": part.brand}
    for kind in ("gtin", "mpn"):
        if values := [number.value for number in part.number_rows if number.kind == kind]:
            shown[kind] = values[0]
    if part.weight_g:
        shown["weight"] = {"@type": "QuantitativeValue", "value": part.weight_g, "unitCode": _GRAM}
    for name in ("width", "height", "depth"):
        if (value := getattr(part, f"{name}_mm")) is not None:
            shown[name] = {"@type": "QuantitativeValue", "value": value, "unitCode": _MILLIMETRE}
    if part.price is not None and part.currency:
        shown["offers"] = _offer(part, url)
    if version is not None:
        shown["subjectOf"] = _model(part, version)
    return shown


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


def _model(part: Part, version: ModelVersion) -> dict[str, Any]:
    file = {
        "@type": "MediaObject",
        "contentUrl": absolute(media_url(version.storage_path)),
        "encodingFormat": _GLB,
        "contentSize": f"{version.file_size_bytes} B",
    }
    model: dict[str, Any] = {"@type": "3DModel", "name": part.name, "encoding": [file]}
    if version.poster_path:
        model["image"] = absolute(media_url(version.poster_path))
    return model

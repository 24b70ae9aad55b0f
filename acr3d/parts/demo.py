"""The demo parts: real photos, ready to press Generate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from acr3d.parts.parts import create_part
from acr3d.parts.photos import add_photos
from acr3d.parts.sku_lookup import known_looks
from acr3d.parts.skus import look

FOLDER = Path(__file__).parents[2] / "demo"


def add_parts() -> int:
    """Add each demo part whose SKU was never used in this database; returns how many were added."""
    known = known_looks()
    listed = json.loads((FOLDER / "parts.json").read_text(encoding="utf-8"))
    fresh = [one for one in listed if look(one["sku"]) not in known]
    for one in fresh:
        _add(one)
    return len(fresh)


def _add(one: dict[str, Any]) -> None:
    from acr3d.photos import sanitize  # only now: the server never decodes a picture itself

    sizes = {f"{side}_mm": length for side, length in one["size_mm"].items()}
    part = create_part({"sku": one["sku"], "name": one["name"], "description": one["description"], **sizes})
    for photo in one["photos"]:
        with (FOLDER / photo["file"]).open("rb") as file:
            labels = {"angle_label": photo["angle"], "alt_text": photo["alt"]}
            add_photos(part.id, [sanitize.clean(file)], labels)

"""Dedup: equal images become one, which is encoded, stored and uploaded to the GPU once."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict

from acr3d.gltf.extensions import can_renumber
from acr3d.gltf.model import Model
from acr3d.gltf.prune import prune_images
from acr3d.gltf.traversal import source_holders

_STORAGE_FIELDS = ("bufferView", "uri", "name")


def dedup_images(model: Model) -> None:
    """Let textures refer to the first of equal images, and remove unused images; changes `model`.

    The first image's name is kept. A file with unknown extensions is left as it is.
    """
    if not can_renumber(model.json):
        return
    by_length: dict[int, list[int]] = defaultdict(list)
    for number in range(len(model.json.get("images", []))):
        by_length[len(model.image_bytes(number))].append(number)
    firsts: dict[tuple[bytes, str], int] = {}
    first_equal = {
        number: firsts.setdefault(_content(model, number), number)
        for numbers in by_length.values()
        for number in numbers
        if len(numbers) > 1
    }
    for texture in model.json.get("textures", []):
        for holder in source_holders(texture):
            holder["source"] = first_equal.get(holder["source"], holder["source"])
    prune_images(model.json)


def _content(model: Model, number: int) -> tuple[bytes, str]:
    """What equal images have in common: their bytes, and all JSON fields except name and storage."""
    image = model.json["images"][number]
    fields = {key: value for key, value in image.items() if key not in _STORAGE_FIELDS}
    return hashlib.sha256(model.image_bytes(number)).digest(), json.dumps(fields, sort_keys=True)

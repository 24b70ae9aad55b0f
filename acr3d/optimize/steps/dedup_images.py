"""Equal images become one: encoded once, stored once, and once on the graphics card."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict

from acr3d.gltf.model import Model
from acr3d.gltf.prune import keep_used_images, may_renumber
from acr3d.gltf.texture_slots import source_holders

_WHERE = ("bufferView", "uri", "name")


def unite_equal_images(model: Model) -> None:
    """Let textures name the first of equal images, and drop every image that none names.

    Of equal images with several names the first one's stays. A file of unknown extensions is left alone.
    """
    if not may_renumber(model.json):
        return
    by_length: dict[int, list[int]] = defaultdict(list)
    for number in range(len(model.json.get("images", []))):
        by_length[len(model.image_bytes(number))].append(number)
    firsts: dict[tuple[bytes, str], int] = {}
    same = {
        number: firsts.setdefault(_content(model, number), number)
        for numbers in by_length.values()
        for number in numbers
        if len(numbers) > 1
    }
    for texture in model.json.get("textures", []):
        for holder in source_holders(texture):
            holder["source"] = same.get(holder["source"], holder["source"])
    keep_used_images(model.json)


def _content(model: Model, number: int) -> tuple[bytes, str]:
    """What must be the same in equal images: the bytes, and all that is said of them but where they are."""
    said = {key: value for key, value in model.json["images"][number].items() if key not in _WHERE}
    return hashlib.sha256(model.image_bytes(number)).digest(), json.dumps(said, sort_keys=True)

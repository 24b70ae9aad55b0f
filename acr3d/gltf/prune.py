"""Prune: remove what nothing refers to, and renumber the rest."""

from __future__ import annotations

from collections.abc import Iterable

from acr3d.gltf.extensions import can_renumber
from acr3d.gltf.json_fields import Json
from acr3d.gltf.traversal import (
    Reference,
    accessor_references,
    accessor_view_holders,
    image_and_stream_view_holders,
    source_holders,
    texture_infos,
)


def prune(data: Json) -> dict[int, int]:
    """Remove unused accessors and buffer views; return the new view numbers by the old ones.

    A file with unknown extensions is left as it is.
    """
    views = data.get("bufferViews", [])
    if not can_renumber(data):
        return {number: number for number in range(len(views))}
    _keep_used(data, "accessors", accessor_references(data))
    holders = [*accessor_view_holders(data), *image_and_stream_view_holders(data)]
    return _keep_used(data, "bufferViews", ((holder, "bufferView") for holder in holders))


def prune_textures(data: Json) -> None:
    """Remove textures that no material uses. A file with unknown extensions is left as it is."""
    if can_renumber(data):
        infos = [info for material in data.get("materials", []) for _, info in texture_infos(material, "")]
        _keep_used(data, "textures", ((info, "index") for info in infos))


def prune_images(data: Json) -> None:
    """Remove images that no texture shows. Only for files for which `can_renumber` is true."""
    textures = data.get("textures", [])
    holders = [holder for texture in textures for holder in source_holders(texture)]
    _keep_used(data, "images", ((holder, "source") for holder in holders))


def _keep_used(data: Json, key: str, references: Iterable[Reference]) -> dict[int, int]:
    """Keep the entries of `data[key]` that are referred to; return their new numbers by the old ones."""
    # An object may be reached twice, for example when primitives share it; it is renumbered once.
    unique = {(id(holder), name): (holder, name) for holder, name in references}.values()
    used = sorted({holder[name] for holder, name in unique})
    renumbered = {old: new for new, old in enumerate(used)}
    for holder, name in unique:
        holder[name] = renumbered[holder[name]]
    if key in data:
        data[key] = [data[key][old] for old in used]
        if not data[key]:
            del data[key]
    return renumbered

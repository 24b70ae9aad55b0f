"""Drop what nothing refers to any more, and renumber the rest."""

from __future__ import annotations

from collections.abc import Iterator

from acr3d.gltf.check_json import texture_infos
from acr3d.gltf.extensions import DRACO, TEXTURE_SOURCES, UNDERSTOOD
from acr3d.gltf.json_fields import Json


def may_renumber(data: Json) -> bool:
    """Whether every extension in use is known not to point at accessors or views in ways of its own."""
    return set(data.get("extensionsUsed", [])) <= UNDERSTOOD


def prune(data: Json) -> dict[int, int]:
    """Remove what is unused; return old → new view numbers. Leaves a file of unknown extensions alone."""
    views = data.get("bufferViews", [])
    if not may_renumber(data):
        return {number: number for number in range(len(views))}
    _keep_used(data, "accessors", [(h, k) for h, k in _accessor_holders(data)])
    return _keep_used(data, "bufferViews", [(h, "bufferView") for h in _view_holders(data)])


def keep_used_textures(data: Json) -> None:
    """Remove the textures that no material reads. Leaves a file of unknown extensions alone."""
    if may_renumber(data):
        infos = [info for material in data.get("materials", []) for _, info in texture_infos(material, "")]
        _keep_used(data, "textures", [(info, "index") for info in infos])


def keep_used_images(data: Json) -> None:
    """Remove the images that no texture names. Only for files of which `may_renumber` holds."""
    holders = [
        (holder, "source")
        for texture in data.get("textures", [])
        for holder in (texture, *(texture.get("extensions", {}).get(name, {}) for name in TEXTURE_SOURCES))
        if "source" in holder
    ]
    _keep_used(data, "images", holders)


def whole_views(data: Json) -> set[int]:
    """The views that something else than an accessor names: images and streams."""
    accessors = [
        holder
        for accessor in data.get("accessors", [])
        for holder in (accessor, *accessor.get("sparse", {}).values())
    ]
    ours = {id(holder) for holder in accessors}
    return {holder["bufferView"] for holder in _view_holders(data) if id(holder) not in ours}


def _keep_used(data: Json, key: str, holders: list[tuple[Json, str]]) -> dict[int, int]:
    used = sorted({holder[name] for holder, name in holders})
    renumbered = {old: new for new, old in enumerate(used)}
    for holder, name in {(id(h), n): (h, n) for h, n in holders}.values():
        holder[name] = renumbered[holder[name]]
    if key in data:
        data[key] = [data[key][old] for old in used]
        if not data[key]:
            del data[key]
    return renumbered


def _accessor_holders(data: Json) -> Iterator[tuple[Json, str]]:
    """Every (object, field) that names an accessor."""
    for mesh in data.get("meshes", []):
        for primitive in mesh.get("primitives", []):
            for attributes in [primitive.get("attributes", {}), *primitive.get("targets", [])]:
                yield from ((attributes, name) for name in attributes)
            if "indices" in primitive:
                yield primitive, "indices"
    for skin in data.get("skins", []):
        if "inverseBindMatrices" in skin:
            yield skin, "inverseBindMatrices"
    for animation in data.get("animations", []):
        for sampler in animation.get("samplers", []):
            yield from ((sampler, name) for name in ("input", "output"))
    for node in data.get("nodes", []):
        instances = node.get("extensions", {}).get("EXT_mesh_gpu_instancing", {}).get("attributes", {})
        yield from ((instances, name) for name in instances)


def accessor_users(data: Json) -> dict[int, int]:
    """How many places name each accessor."""
    users: dict[int, int] = {}
    for holder, name in _accessor_holders(data):
        users[holder[name]] = users.get(holder[name], 0) + 1
    return users


def _view_holders(data: Json) -> Iterator[Json]:
    """Every object whose `bufferView` names a view."""
    for accessor in data.get("accessors", []):
        sparse = accessor.get("sparse", {})
        yield from (
            h for h in (accessor, sparse.get("indices"), sparse.get("values")) if h and "bufferView" in h
        )
    yield from (image for image in data.get("images", []) if "bufferView" in image)
    for mesh in data.get("meshes", []):
        for primitive in mesh.get("primitives", []):
            packed = primitive.get("extensions", {}).get(DRACO)
            if packed is not None:
                yield packed

"""Finding things in a checked glTF document: primitives, texture slots, and who refers to what."""

from __future__ import annotations

from collections.abc import Iterator

from acr3d.gltf.extensions import DRACO, IMAGE_FORMAT_EXTENSIONS, UNDERSTOOD
from acr3d.gltf.json_fields import Json

Reference = tuple[Json, str]
"""An object and the name of its field that holds an index."""


# --- meshes ---


def primitives(data: Json) -> list[tuple[str, Json]]:
    """Every primitive with its place in the file, such as `meshes[0].primitives[1]`."""
    return [(place, primitive) for _, place, primitive in numbered_primitives(data)]


def numbered_primitives(data: Json) -> list[tuple[int, str, Json]]:
    """Every primitive with the number of its mesh and its place in the file."""
    return [
        (number, f"meshes[{number}].primitives[{at}]", primitive)
        for number, mesh in enumerate(data.get("meshes", []))
        for at, primitive in enumerate(mesh.get("primitives", []))
    ]


def attribute_sets(primitive: Json) -> list[dict[str, int]]:
    """The primitive's attributes and those of its morph targets: accessor indices by attribute name."""
    return [primitive.get("attributes", {}), *primitive.get("targets", [])]


def triangle_count(data: Json, primitive: Json) -> int:
    """How many triangles a primitive draws; 0 for points and lines."""
    attributes, mode = primitive.get("attributes", {}), primitive.get("mode", 4)
    at = primitive.get("indices", attributes.get("POSITION"))
    if at is None or mode < 4:
        return 0
    count = int(data["accessors"][at]["count"])
    return count // 3 if mode == 4 else max(0, count - 2)


def mesh_uses(data: Json) -> list[int]:
    """How many times each mesh is in the file's node tree; 1 for a mesh that no node shows."""
    counts = [0] * len(data.get("meshes", []))
    for node in data.get("nodes", []):
        if "mesh" in node:
            counts[node["mesh"]] += 1
    return [max(1, count) for count in counts]


def total_triangles(data: Json) -> int:
    """How many triangles all nodes draw together; a mesh that no node shows counts once."""
    return sum(
        uses * triangle_count(data, primitive)
        for uses, mesh in zip(mesh_uses(data), data.get("meshes", []), strict=True)
        for primitive in mesh.get("primitives", [])
    )


# --- materials, textures, images ---


def texture_infos(material: Json, place: str) -> list[tuple[str, Json]]:
    """Every `…Texture` object under a material that names a texture, with its place.

    The objects of core glTF and of the extensions we know must have an `index`. In other extensions an
    object of such a name may mean something else, so only those with an `index` count.
    """
    found, waiting = [], [(place, material, True)]
    while waiting:
        where, value, is_known = waiting.pop()
        for key, inner in value.items():
            if not isinstance(inner, dict):
                continue
            if key.endswith("Texture"):
                found += [(f"{where}.{key}", inner)] if is_known or "index" in inner else []
            elif key != "extras":
                is_ours = is_known and (not where.endswith(".extensions") or key in UNDERSTOOD)
                waiting.append((f"{where}.{key}", inner, is_ours))
    return found


def material_references(data: Json) -> Iterator[Reference]:
    """Every field that names a material, also those of KHR_materials_variants."""
    for _, primitive in primitives(data):
        variants = primitive.get("extensions", {}).get("KHR_materials_variants", {})
        holders = [primitive, *variants.get("mappings", [])]
        yield from ((holder, "material") for holder in holders if "material" in holder)


def source_holders(texture: Json) -> list[Json]:
    """The objects whose `source` names an image of this texture: itself and its format extensions."""
    extensions = texture.get("extensions", {})
    holders = [texture, *(extensions.get(name, {}) for name in IMAGE_FORMAT_EXTENSIONS)]
    return [holder for holder in holders if "source" in holder]


def texture_images(texture: Json) -> list[int]:
    """The images that a texture may show."""
    return [holder["source"] for holder in source_holders(texture)]


def image_place(data: Json, number: int) -> str:
    """How messages refer to an image: by its number, and by its name if it has one."""
    name = data["images"][number].get("name")
    return f"images[{number}] ({name[:60]!r})" if name else f"images[{number}]"


# --- accessors and buffer views ---


def accessor_references(data: Json) -> Iterator[Reference]:
    """Every field that names an accessor."""
    for _, primitive in primitives(data):
        for attributes in attribute_sets(primitive):
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


def accessor_use_counts(data: Json) -> dict[int, int]:
    """How many fields name each accessor that is used at all."""
    counts: dict[int, int] = {}
    for holder, name in accessor_references(data):
        counts[holder[name]] = counts.get(holder[name], 0) + 1
    return counts


def accessor_view_holders(data: Json) -> Iterator[Json]:
    """Every accessor, or part of a sparse accessor, that has a `bufferView`."""
    for accessor in data.get("accessors", []):
        sparse = accessor.get("sparse", {})
        parts = (accessor, sparse.get("indices"), sparse.get("values"))
        yield from (part for part in parts if part and "bufferView" in part)


def image_and_stream_view_holders(data: Json) -> Iterator[Json]:
    """Every image and every Draco stream that has a `bufferView`."""
    yield from (image for image in data.get("images", []) if "bufferView" in image)
    for _, primitive in primitives(data):
        packed = primitive.get("extensions", {}).get(DRACO)
        if packed is not None:
            yield packed

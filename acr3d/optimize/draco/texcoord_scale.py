"""How precisely a primitive's UV sets must be stored, given the texture transforms of its materials."""

from __future__ import annotations

from collections.abc import Iterator

from acr3d.gltf.json_fields import Json
from acr3d.gltf.traversal import texture_infos

_TRANSFORM = "KHR_texture_transform"


def largest_scales(data: Json, members: list[Json]) -> dict[str, float]:
    """The largest scale that a material applies to each UV set (`TEXCOORD_n`); at least 1."""
    found: dict[str, float] = {}
    for number in _materials(members):
        for _, info in texture_infos(data["materials"][number], "material"):
            transform = info.get("extensions", {}).get(_TRANSFORM, {})
            name = f"TEXCOORD_{transform.get('texCoord', info.get('texCoord', 0))}"
            found[name] = max(found.get(name, 1.0), *map(abs, transform.get("scale", (1.0,))))
    return found


def _materials(members: list[Json]) -> Iterator[int]:
    """The materials of some primitives, including those of KHR_materials_variants."""
    for member in members:
        variants = member.get("extensions", {}).get("KHR_materials_variants", {}).get("mappings", [])
        yield from (each["material"] for each in (member, *variants) if "material" in each)

"""The glTF extensions that acr3d knows, and what it knows about them."""

from __future__ import annotations

from acr3d.gltf.json_fields import Json

DRACO = "KHR_draco_mesh_compression"
MESHOPT = ("EXT_meshopt_compression", "KHR_meshopt_compression")
WEBP = "EXT_texture_webp"
QUANTIZATION = "KHR_mesh_quantization"
IMAGE_FORMAT_EXTENSIONS = (WEBP, "EXT_texture_avif", "KHR_texture_basisu")

_MATERIALS = (
    "anisotropy clearcoat dispersion emissive_strength ior iridescence sheen specular transmission unlit"
    " variants volume"
)
# What three.js, and so <model-viewer>, can display. If a file requires more, they display the rest.
SHOWN_BY_BROWSERS = frozenset(
    [DRACO, *MESHOPT, *IMAGE_FORMAT_EXTENSIONS]
    + [QUANTIZATION, "KHR_texture_transform", "KHR_lights_punctual", "EXT_mesh_gpu_instancing"]
    + [f"KHR_materials_{name}" for name in _MATERIALS.split()]
)
# These and the ones above are known to hold no references to accessors or buffer views that
# `traversal` does not know, so both may be renumbered.
UNDERSTOOD = SHOWN_BY_BROWSERS | {
    "KHR_materials_pbrSpecularGlossiness",
    "KHR_materials_diffuse_transmission",
    "KHR_xmp",
    "KHR_xmp_json_ld",
    "KHR_animation_pointer",
    "KHR_node_visibility",
    "EXT_materials_bump",
    "FB_ngon_encoding",
}


def can_renumber(data: Json) -> bool:
    """Whether accessors and buffer views may be renumbered: no unknown extension could refer to them."""
    return set(data.get("extensionsUsed", [])) <= UNDERSTOOD


def can_rearrange(data: Json) -> bool:
    """Whether nodes, meshes and materials may be merged: besides, no animation names them by their path."""
    return can_renumber(data) and "KHR_animation_pointer" not in data.get("extensionsUsed", [])


def not_shown(data: Json) -> tuple[str, ...]:
    """The extensions that a file requires but browsers do not support."""
    return tuple(sorted(set(data.get("extensionsRequired", [])) - SHOWN_BY_BROWSERS))


def require_extension(data: Json, name: str) -> None:
    """List an extension as used and required."""
    for key in ("extensionsUsed", "extensionsRequired"):
        data[key] = sorted({*data.get(key, []), name})


def drop_extensions(data: Json, names: set[str]) -> None:
    """Remove extensions from the lists of used and required ones."""
    for key in ("extensionsUsed", "extensionsRequired"):
        left = [name for name in data.pop(key, []) if name not in names]
        if left:
            data[key] = left

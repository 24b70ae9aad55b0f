"""The glTF extensions that this package knows, and what it knows about them."""

from __future__ import annotations

from acr3d.gltf.json_fields import Json

DRACO = "KHR_draco_mesh_compression"
MESHOPT = ("EXT_meshopt_compression", "KHR_meshopt_compression")
WEBP = "EXT_texture_webp"
TEXTURE_SOURCES = (WEBP, "EXT_texture_avif", "KHR_texture_basisu")

_MATERIALS = (
    "anisotropy clearcoat dispersion emissive_strength ior iridescence sheen specular transmission unlit"
    " variants volume"
)
# What three.js, and so <model-viewer>, can show; of a file that requires more it shows the rest.
SHOWN = frozenset(
    [DRACO, *MESHOPT, *TEXTURE_SOURCES]
    + ["KHR_mesh_quantization", "KHR_texture_transform", "KHR_lights_punctual", "EXT_mesh_gpu_instancing"]
    + [f"KHR_materials_{name}" for name in _MATERIALS.split()]
)
# Known, beside those, to point at no buffer view by a way of their own: views may be renumbered.
UNDERSTOOD = SHOWN | {
    "KHR_materials_pbrSpecularGlossiness",
    "KHR_materials_diffuse_transmission",
    "KHR_xmp",
    "KHR_xmp_json_ld",
    "KHR_animation_pointer",
    "KHR_node_visibility",
    "EXT_materials_bump",
    "FB_ngon_encoding",
}


def not_shown(data: Json) -> tuple[str, ...]:
    """The extensions that a file requires, but that browsers do not know."""
    return tuple(sorted(set(data.get("extensionsRequired", [])) - SHOWN))

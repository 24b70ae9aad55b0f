"""What a model is, in numbers: triangles, size in metres, draw calls, memory on the graphics card."""

from __future__ import annotations

from dataclasses import dataclass

from acr3d.gltf import image_header
from acr3d.gltf.accessors import element_bytes
from acr3d.gltf.bounds import scene_box, shown_meshes
from acr3d.gltf.check_buffers import image_place, primitives
from acr3d.gltf.check_scene import triangle_count
from acr3d.gltf.extensions import not_shown
from acr3d.gltf.model import Model


@dataclass(frozen=True)
class ModelFacts:
    """`low` and `high` are the corners of the shown scene's box, in metres; None when nothing is shown.

    `not_shown` are the extensions that the file requires and browsers do not know.
    """

    triangles: int
    vertices: int
    draw_calls: int
    meshes: int
    materials: int
    nodes: int
    animations: int
    skins: int
    texture_gpu_bytes: int
    geometry_gpu_bytes: int
    low: tuple[float, ...] | None
    high: tuple[float, ...] | None
    not_shown: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[float, ...] | None:
        """Width, height and depth in metres."""
        if self.low is None or self.high is None:
            return None
        return tuple(high - low for low, high in zip(self.low, self.high, strict=True))


def gather(model: Model) -> ModelFacts:
    """The facts of a checked model. Accessors shared by several primitives are counted once."""
    data, parts = model.json, [primitive for _, primitive in primitives(model.json)]
    accessors = data.get("accessors", [])
    positions = {p["attributes"]["POSITION"] for p in parts if "POSITION" in p.get("attributes", {})}
    used = {
        at
        for p in parts
        for at in [*p.get("attributes", {}).values(), *([p["indices"]] if "indices" in p else [])]
    }
    shown = shown_meshes(model)
    low, high = scene_box(model, shown)
    return ModelFacts(
        triangles=sum(triangle_count(data, p) for p in parts),
        vertices=sum(int(accessors[at]["count"]) for at in positions),
        draw_calls=sum(len(data["meshes"][each.mesh].get("primitives", [])) for each in shown),
        meshes=len(data.get("meshes", [])),
        materials=len(data.get("materials", [])),
        nodes=len(data.get("nodes", [])),
        animations=len(data.get("animations", [])),
        skins=len(data.get("skins", [])),
        texture_gpu_bytes=_texture_gpu_bytes(model),
        geometry_gpu_bytes=sum(int(accessors[at]["count"]) * element_bytes(accessors[at]) for at in used),
        low=low,
        high=high,
        not_shown=not_shown(data),
    )


def _texture_gpu_bytes(model: Model) -> int:
    """Four bytes a pixel and a third more for the smaller copies; KTX2 takes about a quarter of that."""
    total = 0
    for number in range(len(model.json.get("images", []))):
        facts = image_header.inspect(model.image_bytes(number), image_place(model.json, number))
        total += facts.width * facts.height * (1 if facts.format == "ktx2" else 4) * 4 // 3
    return total

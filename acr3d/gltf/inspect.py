"""Inspect: a model in numbers, such as triangles, size in metres, draw calls and GPU memory."""

from __future__ import annotations

from dataclasses import dataclass

from acr3d.gltf import image_header
from acr3d.gltf.accessors import element_bytes
from acr3d.gltf.bounds import scene_bounds
from acr3d.gltf.extensions import not_shown
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.scene_graph import MeshInstance, mesh_instances
from acr3d.gltf.traversal import image_place, primitives, total_triangles


@dataclass(frozen=True)
class ModelFacts:
    """What `inspect` found.

    `low` and `high` are the corners of the default scene's bounding box in metres, None if it shows nothing.
    `not_shown` are the extensions that the file requires but browsers do not support. `has_bom`: the JSON
    starts with a byte order mark.
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
    has_bom: bool = False

    @property
    def size(self) -> tuple[float, ...] | None:
        """Width, height and depth in metres."""
        if self.low is None or self.high is None:
            return None
        return tuple(high - low for low, high in zip(self.low, self.high, strict=True))

    @property
    def longest_side(self) -> float:
        """The longest side in metres; 0 if nothing is shown."""
        return max(self.size or (0.0,))


def inspect(model: Model) -> ModelFacts:
    """The facts of a validated model. Accessors shared by several primitives count once."""
    data = model.json
    accessors = data.get("accessors", [])
    all_primitives = [primitive for _, primitive in primitives(data)]
    positions, used = set(), set()
    for primitive in all_primitives:
        attributes = primitive.get("attributes", {})
        used |= {*attributes.values()} | ({primitive["indices"]} if "indices" in primitive else set())
        positions |= {attributes["POSITION"]} if "POSITION" in attributes else set()
    instances = mesh_instances(model)
    low, high = scene_bounds(model, instances)
    return ModelFacts(
        triangles=total_triangles(data),
        vertices=sum(int(accessors[at]["count"]) for at in positions),
        draw_calls=count_draw_calls(data, instances),
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
        has_bom=model.has_bom,
    )


def count_draw_calls(data: Json, instances: list[MeshInstance]) -> int:
    """How often a renderer draws to show these meshes."""
    return sum(len(data["meshes"][each.mesh].get("primitives", [])) for each in instances)


def _texture_gpu_bytes(model: Model) -> int:
    """Four bytes per pixel and a third more for mipmaps; KTX2 takes about a quarter of that."""
    total = 0
    for number in range(len(model.json.get("images", []))):
        content, place = model.image_bytes(number), image_place(model.json, number)
        facts = image_header.read_image_header(content, place)
        total += facts.width * facts.height * (1 if facts.format == "ktx2" else 4) * 4 // 3
    return total

"""What a model is, in numbers: triangles, size in metres, draw calls, memory on the graphics card."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import images
from .accessors import element_bytes, is_readable, read
from .check_scene import triangle_count
from .contents import image_place, primitives
from .errors import damaged
from .fields import Json
from .model import Model

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class ModelFacts:
    """`low` and `high` are the corners of the shown scene's box, in metres; None when nothing is shown."""

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
    placed = _placed_meshes(data)
    low, high = _box(model, placed)
    return ModelFacts(
        triangles=sum(triangle_count(data, p) for p in parts),
        vertices=sum(int(accessors[at]["count"]) for at in positions),
        draw_calls=sum(len(data["meshes"][mesh].get("primitives", [])) for mesh, _ in placed),
        meshes=len(data.get("meshes", [])),
        materials=len(data.get("materials", [])),
        nodes=len(data.get("nodes", [])),
        animations=len(data.get("animations", [])),
        skins=len(data.get("skins", [])),
        texture_gpu_bytes=_texture_gpu_bytes(model),
        geometry_gpu_bytes=sum(int(accessors[at]["count"]) * element_bytes(accessors[at]) for at in used),
        low=low,
        high=high,
    )


def _texture_gpu_bytes(model: Model) -> int:
    """Four bytes a pixel and a third more for the smaller copies; KTX2 takes about a quarter of that."""
    total = 0
    for number in range(len(model.json.get("images", []))):
        facts = images.inspect(model.image_bytes(number), image_place(model.json, number))
        total += facts.width * facts.height * (1 if facts.format == "ktx2" else 4) * 4 // 3
    return total


def _placed_meshes(data: Json) -> list[tuple[int, Matrix]]:
    """Every mesh that the default scene shows, with its node's matrix to the world."""
    nodes, scenes = data.get("nodes", []), data.get("scenes", [])
    if not scenes:
        return []
    waiting = [(at, np.eye(4)) for at in scenes[data.get("scene", 0)].get("nodes", [])]
    placed = []
    while waiting:
        at, above = waiting.pop()
        with np.errstate(all="ignore"):
            matrix = above @ node_matrix(nodes[at])
        if "mesh" in nodes[at]:
            placed.append((nodes[at]["mesh"], matrix))
        waiting += [(child, matrix) for child in nodes[at].get("children", [])]
    return placed


def node_matrix(node: Json) -> Matrix:
    """A node's own 4 × 4 matrix, from `matrix` or from translation, rotation and scale."""
    if "matrix" in node:
        return np.array(node["matrix"], float).reshape(4, 4).T
    x, y, z, w = node.get("rotation") or (0, 0, 0, 1)
    turn = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    matrix = np.eye(4)
    matrix[:3, :3] = turn * np.array(node.get("scale") or (1, 1, 1), float)
    matrix[:3, 3] = node.get("translation") or (0, 0, 0)
    return matrix


def _box(
    model: Model, placed: list[tuple[int, Matrix]]
) -> tuple[tuple[float, ...] | None, tuple[float, ...] | None]:
    boxes: dict[int, list[Matrix]] = {}
    corners = []
    for mesh, matrix in placed:
        if mesh not in boxes:
            boxes[mesh] = _mesh_boxes(model, mesh)
        for box in boxes[mesh]:
            with np.errstate(all="ignore"):
                corners.append(box @ matrix[:3, :3].T + matrix[:3, 3])
    if not corners:
        return None, None
    points = np.concatenate(corners)
    if not np.isfinite(points).all():
        raise damaged("nodes", "blow the model up beyond any number")
    return tuple(points.min(axis=0).tolist()), tuple(points.max(axis=0).tolist())


def _mesh_boxes(model: Model, mesh: int) -> list[Matrix]:
    """The eight corners of each of a mesh's primitives, in the mesh's own space."""
    found = []
    for primitive in model.json["meshes"][mesh].get("primitives", []):
        at = primitive.get("attributes", {}).get("POSITION")
        bounds = None if at is None else _bounds(model, at)
        if bounds is not None:
            grid = np.array(np.meshgrid(*zip(*bounds, strict=True))).reshape(3, 8)
            found.append(grid.T.astype(float))
    return found


def _bounds(model: Model, number: int) -> tuple[list[float], list[float]] | None:
    """Lowest and highest position: from the values where they are plain, else as the accessor states."""
    accessor = model.json["accessors"][number]
    is_stream = "bufferView" not in accessor and "sparse" not in accessor
    if is_readable(model, number) and not is_stream:
        values = read(model, number).astype(float)
        if accessor.get("normalized"):
            values /= float(np.iinfo(read(model, number).dtype).max)
        return values.min(axis=0).tolist(), values.max(axis=0).tolist()
    low, high = accessor.get("min"), accessor.get("max")
    return (low, high) if low and high else None

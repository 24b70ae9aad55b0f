"""How long a model's longest side is in the own unit of each of its meshes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from acr3d.gltf.bounds import scene_bounds
from acr3d.gltf.model import Model
from acr3d.gltf.scene_graph import MeshInstance, mesh_instances
from acr3d.optimize.primitive_groups import PrimitiveGroup


def mesh_units(model: Model) -> Callable[[PrimitiveGroup], float]:
    """A function from a group to the model's longest side, as long as it is where the group is largest.

    Infinite for a group that the default scene does not show.
    """
    instances = mesh_instances(model)
    low, high = scene_bounds(model, instances)
    if low is None or high is None:
        return lambda _: np.inf
    longest = max(top - bottom for bottom, top in zip(low, high, strict=True))
    scales: dict[int, float] = {}
    for each in instances:
        scales[each.mesh] = max(scales.get(each.mesh, 0.0), _scale(each))
    mesh_of = {
        id(primitive): number
        for number, mesh in enumerate(model.json["meshes"])
        for primitive in mesh.get("primitives", [])
    }

    def unit(group: PrimitiveGroup) -> float:
        scale = max(scales.get(mesh_of[id(member)], 0.0) for member in group.members)
        return longest / scale if scale else np.inf

    return unit


def _scale(place: MeshInstance) -> float:
    """By how much the mesh is enlarged, at most, along its axes or by any of its joints."""
    matrices = place.matrix[None] if place.joints is None or not len(place.joints) else place.joints
    return float(np.linalg.norm(matrices[:, :3, :3], axis=1).max())

"""Real size: turn the default scene, scale it to the part's millimetres and put it on the ground.

A new root node does this, so no vertex changes. Skins, morph targets and animations follow, because
everything they move is below the new node.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from acr3d.gltf.inspect import ModelFacts
from acr3d.gltf.json_fields import Json
from acr3d.gltf.orientation import Turn, compose_quaternions
from acr3d.gltf.scene_graph import Matrix
from acr3d.optimize.verify import BOX_TOLERANCE

SIDES = ("width", "height", "depth")
_WARN_PERCENT = 5.0
# A side thinner than this share of the longest one cannot tell the scale.
_THINNEST = 1e-6
# Beyond this, and below its inverse, floats overflow somewhere between here and the GPU.
_LONGEST_METRES = 1e9
# A difference that Draco's grid may have caused; no reason to change a file that is already placed.
_IN_PLACE = BOX_TOLERANCE
TRUE_SIZE = {"acr3d": "true size"}
_OWN_FIELDS = {"name", "children", "extras", "scale", "translation", "rotation"}


@dataclass(frozen=True)
class RealSize:
    """A part's sides in millimetres, along X, Y and Z; None if unknown."""

    width: float | None = None
    height: float | None = None
    depth: float | None = None

    @property
    def sides(self) -> tuple[float | None, ...]:
        return self.width, self.height, self.depth


@dataclass(frozen=True)
class PlacementRequest:
    """How the model should be placed: its size after the turn, and a turn.

    `is_to_scale`: the file is measured, so that it is put on the ground even if no size is known.
    """

    size: RealSize = field(default_factory=RealSize)
    turn: Turn | None = None
    is_to_scale: bool = False


@dataclass(frozen=True)
class Placement:
    """A turn, then a uniform scale, then a shift in metres; it adds `new_nodes` nodes to the file."""

    size: RealSize
    scale: float
    shift: tuple[float, ...]
    new_nodes: int
    turn: Turn | None = None

    def applied_to(self, facts: ModelFacts) -> ModelFacts:
        """The facts that the model must have once it is placed."""
        if facts.low is None or facts.high is None:
            return facts
        low, high = (
            tuple(self.scale * at + by for at, by in zip(corner, self.shift, strict=True))
            for corner in _turned_box(facts.low, facts.high, self.turn)
        )
        return replace(facts, low=low, high=high, nodes=facts.nodes + self.new_nodes)

    @property
    def matrix(self) -> Matrix:
        """The same as one matrix (4, 4)."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.scale * (np.array(self.turn.rows) if self.turn else np.eye(3))
        matrix[:3, 3] = self.shift
        return matrix

    @property
    def changes_anything(self) -> bool:
        return self.scale != 1 or any(self.shift) or self.turn is not None


def plan_placement(data: Json, facts: ModelFacts, request: PlacementRequest) -> Placement | str | None:
    """How to turn and scale the scene, or why that is impossible, as a phrase.

    None if no side is known, there is no turn and the file is not to scale. The sides are those of the turned
    model.
    """
    size, turn = request.size, request.turn
    if not any(size.sides) and turn is None and not request.is_to_scale:
        return None
    if facts.size is None or facts.low is None or facts.high is None:
        return "it shows nothing"
    longest = facts.longest_side
    if not 1 / _LONGEST_METRES < longest < _LONGEST_METRES:
        return f"it is {longest:.3g} m long, which cannot be right"
    if any("EXT_mesh_gpu_instancing" in node.get("extensions", {}) for node in data.get("nodes", [])):
        return "it uses EXT_mesh_gpu_instancing, so its size is unknown"
    low, high = _turned_box(facts.low, facts.high, turn)
    sides_m = tuple(top - bottom for bottom, top in zip(low, high, strict=True))
    scale = _best_scale(sides_m, size, thinnest=_THINNEST * longest) if any(size.sides) else 1.0
    if scale is None:
        return "it is flat along the sides whose size is known"
    shift = (-scale * (low[0] + high[0]) / 2, -scale * low[1], -scale * (low[2] + high[2]) / 2)
    if not _has_own_root(data):
        return Placement(size, scale, shift, len(_roots_by_scenes(data)), turn)
    if turn is None and abs(scale - 1) < _IN_PLACE and max(map(abs, shift)) < _IN_PLACE * longest:
        return Placement(size, 1.0, (0.0, 0.0, 0.0), new_nodes=0)
    return Placement(size, scale, shift, 0, turn)


def _turned_box(
    low: tuple[float, ...], high: tuple[float, ...], turn: Turn | None
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return turn.box(low, high) if turn else (low, high)


def _best_scale(sides_m: tuple[float, ...], size: RealSize, thinnest: float) -> float | None:
    """The median of the known sides' ratios (the geometric mean of two); None without any.

    If a side is wrong it is usually one: a typo, or a depth that the engine had to guess. Least squares would
    make all three sides wrong; the median keeps the two that agree.
    """
    pairs = zip(sides_m, size.sides, strict=True)
    ratios = [math.log(wanted / 1000 / side) for side, wanted in pairs if wanted and side > thinnest]
    return math.exp(statistics.median(ratios)) if ratios else None


def apply_placement(data: Json, placement: Placement) -> None:
    """Change the JSON of a validated model as planned from it."""
    if not placement.changes_anything:
        return
    if _has_own_root(data):
        for root in _roots(data):
            _append_placement(data["nodes"][root], placement)
    else:
        for scenes, roots in _roots_by_scenes(data).items():
            _add_root(data, scenes, roots, placement)
    _keep_appearance(data, placement.scale)


def matrix_of(placement: Placement | str | None) -> Matrix:
    """What is applied to the scene as a matrix (4, 4); the identity if it is not placed."""
    return placement.matrix if isinstance(placement, Placement) else np.eye(4)


def describe_placement(placement: Placement, facts: ModelFacts) -> Json:
    """For the report: what was requested, and how far the placed model differs from it."""
    return {
        "turned": placement.turn.text if placement.turn else None,
        "scale": placement.scale,
        "size_mm": [round(1000 * side, 3) for side in facts.size or ()],
        "requested_mm": dict(zip(SIDES, placement.size.sides, strict=True)),
        "deviation_percent": {side: round(percent, 2) for side, percent in _deviations(placement, facts)},
    }


def placement_warnings(placement: Placement | str | None, facts: ModelFacts) -> list[str]:
    """A sentence for every side that clearly differs from the part's, or why the model was not placed."""
    if placement is None:
        return []
    if isinstance(placement, str):
        return [f"The model could not be turned or scaled to the part's size, because {placement}."]
    return [
        f"The model's {side} is {abs(percent):.0f} % {'more' if percent > 0 else 'less'} than the part's. "
        "Check the part's dimensions and the photos."
        for side, percent in _deviations(placement, facts)
        if abs(percent) > _WARN_PERCENT
    ]


def _deviations(placement: Placement, facts: ModelFacts) -> Iterator[tuple[str, float]]:
    for side, wanted, metres in zip(SIDES, placement.size.sides, facts.size or (), strict=True):
        if wanted:
            yield side, 100 * (1000 * metres / wanted - 1)


def _roots(data: Json) -> list[int]:
    scenes = data.get("scenes", [])
    return list(dict.fromkeys(scenes[data.get("scene", 0)].get("nodes", []))) if scenes else []


def _roots_by_scenes(data: Json) -> dict[tuple[int, ...], list[int]]:
    """The default scene's roots, grouped by the scenes that show them: a new parent appears in all."""
    groups: dict[tuple[int, ...], list[int]] = {}
    members = [set(scene.get("nodes", [])) for scene in data.get("scenes", [])]
    for root in _roots(data):
        scenes = tuple(number for number, nodes in enumerate(members) if root in nodes)
        groups.setdefault(scenes, []).append(root)
    return groups


def _has_own_root(data: Json) -> bool:
    """Whether every root of the scene is a node that we added and nobody has changed since."""
    animated = {
        channel.get("target", {}).get("node")
        for animation in data.get("animations", [])
        for channel in animation.get("channels", [])
    }
    roots = _roots(data)
    return bool(roots) and all(
        data["nodes"][root].get("extras") == TRUE_SIZE
        and data["nodes"][root].keys() <= _OWN_FIELDS
        and all(abs(number) < _LONGEST_METRES for number in data["nodes"][root].get("scale", []))
        and root not in animated
        for root in roots
    )


def _append_placement(node: Json, placement: Placement) -> None:
    """Apply the placement after what the node already does."""
    scale, shift = node.get("scale", [1.0] * 3), node.get("translation", [0.0] * 3)
    if placement.turn:
        node["rotation"] = compose_quaternions(
            node.get("rotation", [0.0, 0.0, 0.0, 1.0]), placement.turn.quaternion
        )
        shift = placement.turn.point(shift)
    node["scale"] = [placement.scale * each for each in scale]
    node["translation"] = [placement.scale * at + by for at, by in zip(shift, placement.shift, strict=True)]


def _add_root(data: Json, scenes: tuple[int, ...], roots: list[int], placement: Placement) -> None:
    """Add a node between these scenes and the roots that they share."""
    node: Json = {"name": "true size", "children": roots, "extras": dict(TRUE_SIZE)}
    _append_placement(node, placement)
    data["nodes"].append(node)
    for number in scenes:
        others = [root for root in data["scenes"][number]["nodes"] if root not in roots]
        data["scenes"][number]["nodes"] = [len(data["nodes"]) - 1, *others]


def _keep_appearance(data: Json, scale: float) -> None:
    """Scale the few lengths that extensions state in world metres, so that nothing looks different.

    These are attenuation distances (KHR_materials_volume) and lamps (KHR_lights_punctual), whose light
    decreases with the square of the distance.
    """
    for material in data.get("materials", []):
        _multiply(
            material.get("extensions", {}).get("KHR_materials_volume", {}), "attenuationDistance", scale
        )
    lights = data.get("extensions", {}).get("KHR_lights_punctual", {}).get("lights", [])
    for light in lights if isinstance(lights, list) else []:
        if isinstance(light, dict) and light.get("type") in ("point", "spot"):
            light.setdefault("intensity", 1.0)
            _multiply(light, "intensity", scale**2)
            _multiply(light, "range", scale)


def _multiply(holder: Json, key: str, factor: float) -> None:
    value = holder.get(key)
    if isinstance(value, int | float) and abs(value) < _LONGEST_METRES:
        holder[key] = value * factor

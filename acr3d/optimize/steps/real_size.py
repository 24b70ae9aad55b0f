"""The default scene turned, scaled to the part's millimetres and put on the ground, by a node above it.

No vertex is touched. Bones, morphs and animations go along, since all that they move is below the new node.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, replace

from acr3d.gltf.json_fields import Json
from acr3d.optimize.inspect import ModelFacts
from acr3d.optimize.steps.orientation import Turn, after

SIDES = ("width", "height", "depth")
_WARN_PERCENT = 5.0
# Of the longest side: what is thinner has no size to go by.
_THINNEST = 1e-6
# Beyond it, and below its inverse, floats run out somewhere between here and the graphics card.
_LONGEST_METRES = 1e9
# What Draco's grid may have moved (as in verify.py): no reason to write a placed file anew.
_IN_PLACE = 1e-3
_MARK = {"acr3d": "true size"}
_OUR_FIELDS = {"name", "children", "extras", "scale", "translation", "rotation"}


@dataclass(frozen=True)
class RealSize:
    """A part's sides in millimetres, along X, Y and Z; None is a side that nobody knows."""

    width: float | None = None
    height: float | None = None
    depth: float | None = None

    @property
    def sides(self) -> tuple[float | None, ...]:
        return self.width, self.height, self.depth


UNKNOWN = RealSize()


@dataclass(frozen=True)
class Placement:
    """A turn, a uniform scale, then a shift in metres; `new_nodes` is how many nodes it takes to say so."""

    size: RealSize
    scale: float
    shift: tuple[float, ...]
    new_nodes: int
    turn: Turn | None = None

    def moved(self, facts: ModelFacts) -> ModelFacts:
        """What the facts of a model must be once it is placed."""
        if facts.low is None or facts.high is None:
            return facts
        low, high = (
            tuple(self.scale * at + by for at, by in zip(corner, self.shift, strict=True))
            for corner in _turned_box(facts.low, facts.high, self.turn)
        )
        return replace(facts, low=low, high=high, nodes=facts.nodes + self.new_nodes)

    @property
    def changes_anything(self) -> bool:
        return self.scale != 1 or any(self.shift) or self.turn is not None


def plan(data: Json, facts: ModelFacts, size: RealSize, turn: Turn | None = None) -> Placement | str | None:
    """How to turn the scene and bring it to `size`; why that cannot be, as a phrase; or None.

    None when no side is known and nothing is to be turned. The sides are those of the turned model.
    """
    if not any(size.sides) and turn is None:
        return None
    if facts.size is None or facts.low is None or facts.high is None:
        return "it shows nothing"
    longest = max(facts.size)
    if not 1 / _LONGEST_METRES < longest < _LONGEST_METRES:
        return f"it is {longest:.3g} m long, which cannot be meant"
    if any("EXT_mesh_gpu_instancing" in node.get("extensions", {}) for node in data.get("nodes", [])):
        return "it repeats shapes by an extension (EXT_mesh_gpu_instancing), so its size is not known"
    low, high = _turned_box(facts.low, facts.high, turn)
    sides_m = tuple(top - bottom for bottom, top in zip(low, high, strict=True))
    scale = _best_scale(sides_m, size, thinnest=_THINNEST * longest) if any(size.sides) else 1.0
    if scale is None:
        return "it is flat where the part's size is known"
    shift = (-scale * (low[0] + high[0]) / 2, -scale * low[1], -scale * (low[2] + high[2]) / 2)
    if not _has_our_root(data):
        return Placement(size, scale, shift, len(_roots_by_scenes(data)), turn)
    if turn is None and abs(scale - 1) < _IN_PLACE and max(map(abs, shift)) < _IN_PLACE * longest:
        return Placement(size, 1.0, (0.0, 0.0, 0.0), new_nodes=0)
    return Placement(size, scale, shift, 0, turn)


def _turned_box(
    low: tuple[float, ...], high: tuple[float, ...], turn: Turn | None
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return turn.box(low, high) if turn else (low, high)


def _best_scale(sides_m: tuple[float, ...], size: RealSize, thinnest: float) -> float | None:
    """The median of the known sides' ratios (of two, their geometric mean); None without any.

    Usually one side is wrong, a slip of the pen or a depth that the engine had to guess: least squares would
    make all three untrue, the median keeps those two that agree.
    """
    pairs = zip(sides_m, size.sides, strict=True)
    ratios = [math.log(wanted / 1000 / side) for side, wanted in pairs if wanted and side > thinnest]
    return math.exp(statistics.median(ratios)) if ratios else None


def place(data: Json, placement: Placement) -> None:
    """Change the JSON of a (checked) model as planned from it."""
    if not placement.changes_anything:
        return
    if _has_our_root(data):
        for root in _roots(data):
            _compose(data["nodes"][root], placement)
    else:
        for scenes, roots in _roots_by_scenes(data).items():
            _put_above(data, scenes, roots, placement)
    _keep_the_light(data, placement.scale)


def describe(placement: Placement, facts: ModelFacts) -> Json:
    """For the report: what was asked for, and how far the placed model of these facts is from it."""
    return {
        "turned": placement.turn.text if placement.turn else None,
        "scale": placement.scale,
        "size_mm": [round(1000 * side, 3) for side in facts.size or ()],
        "requested_mm": dict(zip(SIDES, placement.size.sides, strict=True)),
        "deviation_percent": {side: round(percent, 2) for side, percent in _deviations(placement, facts)},
    }


def warnings_about(placement: Placement | str | None, facts: ModelFacts) -> list[str]:
    """A sentence for every side that is clearly not the part's, or why the model is not placed."""
    if placement is None:
        return []
    if isinstance(placement, str):
        return [f"The model could not be turned or brought to the part's size, because {placement}."]
    return [
        f"The model's {side} is {abs(percent):.0f} % {'more' if percent > 0 else 'less'} than the part's; "
        "check the sizes or the photos."
        for side, percent in _deviations(placement, facts)
        if abs(percent) > _WARN_PERCENT
    ]


def _deviations(placement: Placement, facts: ModelFacts) -> Iterator[tuple[str, float]]:
    for side, wanted, is_ in zip(SIDES, placement.size.sides, facts.size or (), strict=True):
        if wanted:
            yield side, 100 * (1000 * is_ / wanted - 1)


def _roots(data: Json) -> list[int]:
    scenes = data.get("scenes", [])
    return list(dict.fromkeys(scenes[data.get("scene", 0)].get("nodes", []))) if scenes else []


def _roots_by_scenes(data: Json) -> dict[tuple[int, ...], list[int]]:
    """The default scene's roots, by the scenes that show them: a node above must suit every one of those."""
    groups: dict[tuple[int, ...], list[int]] = {}
    members = [set(scene.get("nodes", [])) for scene in data.get("scenes", [])]
    for root in _roots(data):
        scenes = tuple(number for number, nodes in enumerate(members) if root in nodes)
        groups.setdefault(scenes, []).append(root)
    return groups


def _has_our_root(data: Json) -> bool:
    """Whether the scene stands below a node of ours (one per set of scenes), still as we left it."""
    animated = {
        channel.get("target", {}).get("node")
        for animation in data.get("animations", [])
        for channel in animation.get("channels", [])
    }
    roots = _roots(data)
    return bool(roots) and all(
        data["nodes"][root].get("extras") == _MARK
        and data["nodes"][root].keys() <= _OUR_FIELDS
        and all(abs(number) < _LONGEST_METRES for number in data["nodes"][root].get("scale", []))
        and root not in animated
        for root in roots
    )


def _compose(node: Json, placement: Placement) -> None:
    """Let a node of ours do what it does, and then the placement."""
    scale, shift = node.get("scale", [1.0] * 3), node.get("translation", [0.0] * 3)
    if placement.turn:
        node["rotation"] = after(node.get("rotation", [0.0, 0.0, 0.0, 1.0]), placement.turn.quaternion)
        shift = placement.turn.point(shift)
    node["scale"] = [placement.scale * each for each in scale]
    node["translation"] = [placement.scale * at + by for at, by in zip(shift, placement.shift, strict=True)]


def _put_above(data: Json, scenes: tuple[int, ...], roots: list[int], placement: Placement) -> None:
    """A node of ours between these scenes and the roots that they share."""
    node: Json = {"name": "true size", "children": roots, "extras": dict(_MARK)}
    _compose(node, placement)
    data["nodes"].append(node)
    for number in scenes:
        others = [root for root in data["scenes"][number]["nodes"] if root not in roots]
        data["scenes"][number]["nodes"] = [len(data["nodes"]) - 1, *others]


def _keep_the_light(data: Json, scale: float) -> None:
    """Scale the few lengths that extensions state in the world's metres, so that nothing looks different.

    A tint by depth (KHR_materials_volume), and lamps (KHR_lights_punctual), whose light falls with the
    square of the distance.
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


def _multiply(holder: Json, key: str, by: float) -> None:
    value = holder.get(key)
    if isinstance(value, int | float) and abs(value) < _LONGEST_METRES:
        holder[key] = value * by

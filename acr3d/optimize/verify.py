"""Reading a written file back and comparing it with the source."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from acr3d.gltf.errors import BadModel
from acr3d.gltf.inspect import ModelFacts, count_draw_calls, inspect
from acr3d.gltf.model import Model
from acr3d.gltf.scene_graph import mesh_instances
from acr3d.gltf.validate import validate

# How far the bounding box may move, as a share of the longest side.
BOX_TOLERANCE = 1e-3
_UNCHANGED = ("meshes", "materials", "nodes", "animations", "skins", "draw_calls")


def expected_facts(source: ModelFacts, model: Model, removed: int) -> ModelFacts:
    """The facts that a written model must have: the source's, without `removed` triangles.

    Equal or small parts may have become one, so meshes, materials, nodes and draw calls are counted in what
    will be written.
    """
    data = model.json
    return replace(
        source,
        triangles=source.triangles - removed,
        meshes=len(data.get("meshes", [])),
        materials=len(data.get("materials", [])),
        nodes=len(data.get("nodes", [])),
        draw_calls=count_draw_calls(data, mesh_instances(model)),
    )


def verify_result(expected: ModelFacts, path: Path) -> tuple[str | None, ModelFacts]:
    """What is wrong with the file at `path`, as a phrase, or None; and the facts of that file.

    An unreadable file returns the expected facts.
    """
    try:
        with Model(path) as model:
            validate(model)
            found = inspect(model)
    except BadModel as error:
        return f"it could not be read again ({error})", expected
    if found.triangles != expected.triangles:
        return f"{expected.triangles - found.triangles} triangles were lost", found
    for name in _UNCHANGED:
        if getattr(expected, name) != getattr(found, name):
            return f"the number of {name.replace('_', ' ')} changed", found
    if _has_box_moved(expected, found):
        return "its size changed", found
    return None, found


def _has_box_moved(expected: ModelFacts, found: ModelFacts) -> bool:
    if expected.low is None or expected.high is None or found.low is None or found.high is None:
        return (expected.low is None) != (found.low is None)
    pairs = zip(expected.low + expected.high, found.low + found.high, strict=True)
    return any(abs(a - b) > BOX_TOLERANCE * expected.longest_side for a, b in pairs)

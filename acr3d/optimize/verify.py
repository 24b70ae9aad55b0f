"""The last look: what was written is read back and compared with what came in."""

from __future__ import annotations

from pathlib import Path

from acr3d.gltf.errors import BadModel
from acr3d.gltf.load import checked
from acr3d.gltf.model import Model
from acr3d.optimize.inspect import ModelFacts

# Of the longest side: what a model's box may move.
_BOX_TOLERANCE = 1e-3
_SAME = ("meshes", "materials", "nodes", "animations", "skins", "draw_calls")


def read_back(path: Path) -> ModelFacts:
    """Open a written file as any other: everything is checked and decoded again. Raises BadModel."""
    with Model(path) as model:
        return checked(model)


def verify_result(before: ModelFacts, path: Path) -> tuple[str | None, ModelFacts]:
    """What the file at `path` lacks of what it should have, as a phrase, or None; and the file's facts."""
    try:
        after = read_back(path)
    except BadModel as error:
        return f"it could not be read again ({error})", before
    if after.triangles != before.triangles:
        return f"{before.triangles - after.triangles} triangles were lost", after
    for name in _SAME:
        if getattr(before, name) != getattr(after, name):
            return f"the number of {name.replace('_', ' ')} changed", after
    if _box_moved(before, after):
        return "its size changed", after
    return None, after


def _box_moved(before: ModelFacts, after: ModelFacts) -> bool:
    if before.low is None or before.high is None or after.low is None or after.high is None:
        return (before.low is None) != (after.low is None)
    longest = max(before.size or (0.0,))
    pairs = zip(before.low + before.high, after.low + after.high, strict=True)
    return any(abs(a - b) > _BOX_TOLERANCE * longest for a, b in pairs)

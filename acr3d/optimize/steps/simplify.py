"""Fewer triangles, when asked for: edges are collapsed where shape, light and texture suffer least.

Vertices are chosen among those that are there, never made up, so bone weights, morph targets and every other
value stay what they were, and seams of the texture stay seams. What `reduce` does is meshoptimizer's
`simplifyWithAttributes` (Garland and Heckbert 1997, with Hoppe's quadrics for attributes, 1999).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import Array, read
from acr3d.gltf.check_buffers import primitives
from acr3d.gltf.check_scene import triangle_count
from acr3d.gltf.model import Model
from acr3d.gltf.prune import may_renumber
from acr3d.gltf.write_accessors import keep_vertices, store_faces
from acr3d.optimize.primitive_groups import Group, faces_of, own_groups, plain_bytes

Faces = NDArray[np.uint32]
Reduce = Callable[[Faces, dict[str, Array], int], Faces]
"""Triangles (n, 3), attributes by glTF name and how many are wanted, to triangles of some of the vertices."""

_UNREADY = "this machine cannot reduce triangles (the simplifier needs an x86-64 processor with AVX2)"
# How much one unit of a normal or of the whole texture counts, against the model's size.
_WEIGHTS = {"NORMAL": 0.5, "TEXCOORD_0": 1.0, "COLOR_0": 0.5}
_FEWEST = 12


@dataclass
class SimplifyResult:
    """What the step did: triangles taken out, what it had to leave, the arrays' bytes before and after."""

    removed: int = 0
    left_alone: list[str] = field(default_factory=list)
    bytes_before: int = 0
    bytes_after: int = 0


def simplify(model: Model, most_triangles: int, reduce: Reduce | None = None) -> SimplifyResult:
    """Reduce the model's triangles to `most_triangles` where that can be done; changes `model`."""
    result, total = SimplifyResult(), _triangles(model)
    if total <= most_triangles:
        return result
    reduce = reduce or collapse_edges()
    if reduce is None:
        return SimplifyResult(left_alone=[f"the triangles, because {_UNREADY}"])
    groups, left = own_groups(model) if may_renumber(model.json) else ([], ["all of it"])
    counts = [len(faces_of(model, group)) for group in groups]
    drawn = sum(count * len(group.members) for count, group in zip(counts, groups, strict=True))
    result.left_alone += left
    share = max(0.0, (most_triangles - (total - drawn)) / drawn) if drawn else 0.0
    for group, count in zip(groups, counts, strict=True):
        wanted = max(_FEWEST, int(share * count))
        if wanted < count:
            _simplify(model, group, wanted, reduce, result)
    if _triangles(model) > most_triangles:
        result.left_alone.append(f"more than the {most_triangles} triangles that were wanted")
    return result


def can_reduce(model: Model, most_triangles: int, reduce: Reduce | None = None) -> bool:
    """Whether there are more triangles than wanted, and a simplifier for them."""
    return _triangles(model) > most_triangles and (reduce or collapse_edges()) is not None


def _triangles(model: Model) -> int:
    return sum(triangle_count(model.json, primitive) for _, primitive in primitives(model.json))


def _simplify(model: Model, group: Group, wanted: int, reduce: Reduce, result: SimplifyResult) -> None:
    faces = faces_of(model, group)
    attributes = {name: read(model, at) for name, at in group.attributes.items()}
    fewer = reduce(faces, attributes, wanted)
    if not len(fewer) or len(fewer) >= len(faces):
        return
    result.bytes_before += plain_bytes(model, group)
    used, numbers = np.unique(fewer, return_inverse=True)
    keep_vertices(model, group, used.astype(np.intp))
    store_faces(model, group, numbers.reshape(-1, 3).astype(np.uint32), len(used))
    result.removed += (len(faces) - len(fewer)) * len(group.members)
    result.bytes_after += plain_bytes(model, group)


def collapse_edges() -> Reduce | None:
    """The simplifier, or None on a machine that cannot run it: its one build is for AVX2."""
    try:
        if " avx2 " not in Path("/proc/cpuinfo").read_text():
            return None
        import almeshopt
    except (ImportError, OSError):
        return None

    def reduce(faces: Faces, attributes: dict[str, Array], wanted: int) -> Faces:
        positions = np.ascontiguousarray(_floats(attributes["POSITION"]))
        weighed, weights = _weighed(attributes)
        found, _ = almeshopt.simplify_with_attributes(
            np.ascontiguousarray(faces).reshape(-1),
            positions,
            weighed,
            weights,
            3 * wanted,
            target_error=1.0,
            vertex_lock=_outermost(positions),
        )
        corners = np.asarray(found, np.uint32).reshape(-1, 3)
        return corners if corners.max(initial=0) < len(positions) else faces

    return reduce


def _weighed(attributes: dict[str, Array]) -> tuple[Array, Array]:
    """The attributes that are seen, side by side, and the weight of every column."""
    columns = {name: _floats(attributes[name]) for name in _WEIGHTS if name in attributes}
    if not columns:
        return np.zeros((len(attributes["POSITION"]), 1), np.float32), np.zeros(1, np.float32)
    weights = [_WEIGHTS[name] for name, values in columns.items() for _ in range(values.shape[1])]
    return np.ascontiguousarray(np.concatenate([*columns.values()], axis=1)), np.array(weights, np.float32)


def _floats(values: Array) -> Array:
    """Whole numbers as the fractions of their type's range that they mostly stand for."""
    if values.dtype.kind == "f":
        return values.astype(np.float32)
    return (values / np.iinfo(values.dtype).max).astype(np.float32)


def _outermost(positions: Array) -> NDArray[np.uint8]:
    """Locks the vertices that the model's box rests on, so that its size stays what it was."""
    locked = np.zeros(len(positions), np.uint8)
    locked[[*positions.argmin(axis=0), *positions.argmax(axis=0)]] = 1
    return locked

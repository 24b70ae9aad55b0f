"""Simplify: fewer triangles, by collapsing edges where shape, shading and texture change least.

Only existing vertices are kept and none is moved, so skin weights, morph targets and all other values stay
valid, and texture seams stay closed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import Array, read_accessor
from acr3d.gltf.extensions import can_renumber
from acr3d.gltf.model import Model
from acr3d.gltf.traversal import total_triangles
from acr3d.optimize import edge_collapse, meshoptimizer
from acr3d.optimize.primitive_groups import (
    PrimitiveGroup,
    array_bytes,
    editable_groups,
    keep_vertices,
    read_faces,
    write_faces,
)

Faces = NDArray[np.uint32]
Simplifier = Callable[[Faces, dict[str, Array], int], Faces]
"""From triangles (n, 3), attributes by name and the number of triangles wanted to fewer triangles.

The result uses some of the same vertices.
"""

_TOO_MANY = f"more than {edge_collapse.MOST_TRIANGLES:,} need `make meshopt` on the server"
_FEWEST = 12


@dataclass
class SimplifyResult:
    """Removed triangles, what was not simplified and why, and the arrays' bytes before and after."""

    removed: int = 0
    left_alone: list[str] = field(default_factory=list)
    bytes_before: int = 0
    bytes_after: int = 0


def simplify(model: Model, most_triangles: int, simplifier: Simplifier | None = None) -> SimplifyResult:
    """Reduce the model to `most_triangles` as far as possible; changes `model`."""
    result, total = SimplifyResult(), total_triangles(model.json)
    if total <= most_triangles:
        return result
    simplifier = simplifier or default_simplifier()
    if simplifier is edge_collapse.simplify and total > edge_collapse.MOST_TRIANGLES:
        return SimplifyResult(left_alone=[f"the triangles, because {_TOO_MANY}"])
    groups, left_out = editable_groups(model) if can_renumber(model.json) else ([], ["the whole model"])
    counts = [len(read_faces(model, group)) for group in groups]
    editable = sum(count * len(group.members) for count, group in zip(counts, groups, strict=True))
    result.left_alone += left_out
    share = max(0.0, (most_triangles - (total - editable)) / editable) if editable else 0.0
    for group, count in zip(groups, counts, strict=True):
        wanted = max(_FEWEST, int(share * count))
        if wanted < count:
            _simplify_group(model, group, wanted, simplifier, result)
    if total_triangles(model.json) > most_triangles:
        result.left_alone.append(f"below the limit of {most_triangles} triangles")
    return result


def default_simplifier() -> Simplifier:
    """meshoptimizer's simplifier if it is installed, else our own."""
    return meshoptimizer.simplify if meshoptimizer.is_available() else edge_collapse.simplify


def _simplify_group(
    model: Model, group: PrimitiveGroup, wanted: int, simplifier: Simplifier, result: SimplifyResult
) -> None:
    faces = read_faces(model, group)
    attributes = {name: read_accessor(model, at) for name, at in group.attributes.items()}
    try:
        fewer = simplifier(faces, attributes, wanted)
    except MemoryError:
        result.left_alone.append(f"{group.place}, because that needs too much memory")
        return
    if not len(fewer) or len(fewer) >= len(faces):
        return
    result.bytes_before += array_bytes(model, group)
    used, numbers = np.unique(fewer, return_inverse=True)
    keep_vertices(model, group, used.astype(np.intp))
    write_faces(model, group, numbers.reshape(-1, 3).astype(np.uint32), len(used))
    result.removed += (len(faces) - len(fewer)) * len(group.members)
    result.bytes_after += array_bytes(model, group)

"""Unshare: give parts that use the same arrays their own, with only the vertices they use.

CAD exports and three.js groups often have one array for the whole model and indices for each part.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import element_bytes, read_accessor
from acr3d.gltf.model import Model
from acr3d.gltf.traversal import accessor_use_counts
from acr3d.gltf.write_accessors import add_accessor
from acr3d.optimize.primitive_groups import (
    PrimitiveGroup,
    is_shared,
    read_faces,
    triangle_groups,
    why_not_readable,
    write_faces,
)

# A smaller part would not shrink as a Draco stream, because of the JSON that describes the stream.
_FEWEST_BYTES = 1024


@dataclass(frozen=True)
class _Part:
    """A group, the vertices that it uses, and its triangles (n, 3) as indices into those."""

    group: PrimitiveGroup
    used: NDArray[np.uint32]
    faces: NDArray[np.uint32]

    def size(self, model: Model) -> int:
        """About how many bytes its own arrays will take."""
        widths = (element_bytes(model.json["accessors"][at]) for at in self.group.vertex_accessors)
        return len(self.used) * sum(widths) + self.faces.nbytes


def unshare_vertices(model: Model) -> None:
    """Split shared arrays where the parts are large enough to be worth it; changes `model`."""
    for sharing in _sharing_groups(model):
        parts = [_part(model, group) for group in sharing]
        if sum(part.size(model) for part in parts) < _FEWEST_BYTES * len(parts):
            continue
        # Each shared array is read once for all its parts.
        array = functools.cache(functools.partial(read_accessor, model))
        for part in parts:
            accessors, group = model.json["accessors"], part.group
            own = {
                at: add_accessor(model, accessors[at], array(at)[part.used]) for at in group.vertex_accessors
            }
            for member in group.members:
                member["attributes"] = {name: own[at] for name, at in member["attributes"].items()}
                member.pop("indices", None)
            write_faces(model, group, part.faces, len(part.used))


def _sharing_groups(model: Model) -> list[list[PrimitiveGroup]]:
    """Groups that share arrays with others; those with the same positions are listed together."""
    counts, found = accessor_use_counts(model.json), dict[int, list[PrimitiveGroup]]()
    for group in triangle_groups(model):
        if not group.targets and why_not_readable(model, group) is None and is_shared(group, counts):
            found.setdefault(group.attributes["POSITION"], []).append(group)
    return list(found.values())


def _part(model: Model, group: PrimitiveGroup) -> _Part:
    used, numbers = np.unique(read_faces(model, group), return_inverse=True)
    return _Part(group, used, numbers.reshape(-1, 3).astype(np.uint32))

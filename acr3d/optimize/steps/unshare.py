"""Parts that draw from the same arrays get arrays of their own, with those vertices only that they use.

CAD exports and three.js's groups come so: one array for the whole model, and indices for each part.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import element_bytes, read
from acr3d.gltf.model import Model
from acr3d.gltf.prune import accessor_users
from acr3d.gltf.write_accessors import add_accessor, store_faces
from acr3d.optimize.primitive_groups import Group, faces_of, is_shared, triangle_groups, why_not_read

# Below that a stream, with all that the JSON says of it, is no smaller than the part.
_FEWEST_BYTES = 1024


@dataclass(frozen=True)
class _Part:
    """A group, the vertices that it uses, and its triangles (n, 3) in numbers of those."""

    group: Group
    used: NDArray[np.uint32]
    faces: NDArray[np.uint32]

    def size(self, model: Model) -> int:
        """About how many bytes its own arrays will take."""
        widths = (element_bytes(model.json["accessors"][at]) for at in self.group.vertex_accessors)
        return len(self.used) * sum(widths) + self.faces.nbytes


def split_shared(model: Model) -> None:
    """Split what sharing alone keeps from being worked on; changes `model`."""
    for sharing in _sharing(model):
        parts = [_part(model, group) for group in sharing]
        if sum(part.size(model) for part in parts) < _FEWEST_BYTES * len(parts):
            continue
        # A shared array is read once for all its parts.
        array = functools.cache(functools.partial(read, model))
        for part in parts:
            accessors, group = model.json["accessors"], part.group
            own = {
                at: add_accessor(model, accessors[at], array(at)[part.used]) for at in group.vertex_accessors
            }
            for member in group.members:
                member["attributes"] = {name: own[at] for name, at in member["attributes"].items()}
                member.pop("indices", None)
            store_faces(model, group, part.faces, len(part.used))


def _sharing(model: Model) -> list[list[Group]]:
    """Groups that share arrays with others, those of the same positions together."""
    users, found = accessor_users(model.json), dict[int, list[Group]]()
    for group in triangle_groups(model):
        if not group.targets and why_not_read(model, group) is None and is_shared(group, users):
            found.setdefault(group.attributes["POSITION"], []).append(group)
    return list(found.values())


def _part(model: Model, group: Group) -> _Part:
    used, numbers = np.unique(faces_of(model, group), return_inverse=True)
    return _Part(group, used, numbers.reshape(-1, 3).astype(np.uint32))

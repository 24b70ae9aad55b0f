"""Primitives that use exactly the same arrays. The geometry steps work on one such group at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import is_readable, read_accessor, stored_bytes
from acr3d.gltf.extensions import DRACO
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.traversal import accessor_use_counts, mesh_uses, numbered_primitives
from acr3d.gltf.write_accessors import add_accessor, index_array, make_sparse, set_accessor


@dataclass
class PrimitiveGroup:
    """Primitives with the same attributes, morph targets and indices: one result serves them all.

    `uses`: how many times the nodes of the file draw it, with any of its members.
    """

    place: str
    members: list[Json]
    uses: int = 0

    @property
    def attributes(self) -> dict[str, int]:
        attributes: dict[str, int] = self.members[0]["attributes"]
        return attributes

    @property
    def targets(self) -> list[dict[str, int]]:
        targets: list[dict[str, int]] = self.members[0].get("targets", [])
        return targets

    @property
    def indices(self) -> int | None:
        indices: int | None = self.members[0].get("indices")
        return indices

    @property
    def vertex_accessors(self) -> list[int]:
        """Every accessor with one value per vertex, once."""
        holders = [self.attributes, *self.targets]
        return list(dict.fromkeys(at for holder in holders for at in holder.values()))

    @property
    def accessors(self) -> set[int]:
        return {*self.vertex_accessors} | ({self.indices} if self.indices is not None else set())


def triangle_groups(model: Model) -> list[PrimitiveGroup]:
    """The groups of all primitives that are uncompressed triangle lists, in the order of the file."""
    groups: dict[tuple[object, ...], PrimitiveGroup] = {}
    uses = mesh_uses(model.json)
    for number, place, primitive in numbered_primitives(model.json):
        if primitive.get("mode", 4) != 4 or DRACO in primitive.get("extensions", {}):
            continue
        targets = tuple(tuple(sorted(target.items())) for target in primitive.get("targets", []))
        key = (*sorted(primitive.get("attributes", {}).items()), primitive.get("indices"), targets)
        group = groups.setdefault(key, PrimitiveGroup(place, []))
        group.members.append(primitive)
        group.uses += uses[number]
    return list(groups.values())


def editable_groups(model: Model) -> tuple[list[PrimitiveGroup], list[str]]:
    """The groups whose arrays are readable and used by no other group; and why the others are left out."""
    counts = accessor_use_counts(model.json)
    kept, left_out = [], []
    for group in triangle_groups(model):
        reason = why_not_editable(model, group, counts)
        if reason is None:
            kept.append(group)
        else:
            left_out.append(f"{group.place}, because it {reason}")
    return kept, left_out


def why_not_editable(model: Model, group: PrimitiveGroup, use_counts: dict[int, int]) -> str | None:
    """Why this group's arrays cannot be changed, or None if they can."""
    reason = why_not_readable(model, group)
    return "shares its vertices with another part" if not reason and is_shared(group, use_counts) else reason


def is_shared(group: PrimitiveGroup, use_counts: dict[int, int]) -> bool:
    """Whether anything besides the group's members uses one of its accessors."""
    used = [*group.attributes.values(), *(at for target in group.targets for at in target.values())]
    used += [] if group.indices is None else [group.indices]
    return any(use_counts[at] != used.count(at) * len(group.members) for at in group.accessors)


def why_not_readable(model: Model, group: PrimitiveGroup) -> str | None:
    """Why this group's arrays cannot be read, or None if they can."""
    if "POSITION" not in group.attributes:
        return "has no positions"
    if not all(is_readable(model, at) for at in group.accessors):
        return "is already compressed"
    counts = {int(model.json["accessors"][at]["count"]) for at in group.vertex_accessors}
    return "has morph targets with a different number of vertices" if len(counts) > 1 else None


def read_faces(model: Model, group: PrimitiveGroup) -> NDArray[np.uint32]:
    """The group's triangles as vertex indices, (n, 3)."""
    if group.indices is None:
        flat = np.arange(vertex_count(model, group), dtype=np.uint32)
    else:
        flat = read_accessor(model, group.indices)[:, 0].astype(np.uint32)
    return flat[: len(flat) // 3 * 3].reshape(-1, 3)


def vertex_count(model: Model, group: PrimitiveGroup) -> int:
    """How many vertices the group's arrays hold."""
    return int(model.json["accessors"][group.attributes["POSITION"]]["count"])


def write_faces(model: Model, group: PrimitiveGroup, faces: NDArray[np.uint32], vertices: int) -> None:
    """Replace the group's triangles by `faces` (n, 3), indices into its `vertices`."""
    number, indices = group.indices, index_array(faces, vertices)
    if number is None:
        number = add_accessor(model, {"type": "SCALAR"}, indices, is_vertex=False)
    else:
        model.json["accessors"][number].pop("normalized", None)
        set_accessor(model, number, indices, is_vertex=False)
    for member in group.members:
        member["indices"] = number


def keep_vertices(model: Model, group: PrimitiveGroup, kept: NDArray[np.intp]) -> None:
    """Keep only these of the group's vertices, in this order. Sparse morph targets stay sparse."""
    for number in group.vertex_accessors:
        accessor, values = model.json["accessors"][number], read_accessor(model, number)[kept]
        is_mostly_zero = "sparse" in accessor and "bufferView" not in accessor
        set_accessor(model, number, values)
        if is_mostly_zero:
            make_sparse(model, number, values)


def array_bytes(model: Model, group: PrimitiveGroup) -> int:
    """How many bytes the group's arrays take."""
    return sum(stored_bytes(model.json["accessors"][at]) for at in group.accessors)


def used_array_bytes(model: Model) -> int:
    """How many bytes all arrays take that anything uses."""
    return sum(stored_bytes(model.json["accessors"][at]) for at in accessor_use_counts(model.json))

"""Primitives that draw from the very same arrays: what the geometry steps work on, one group at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import is_readable, read, stored_bytes
from acr3d.gltf.check_buffers import primitives
from acr3d.gltf.extensions import DRACO
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.prune import accessor_users


@dataclass
class Group:
    """Primitives with the same attributes, morph targets and indices: one result serves them all."""

    place: str
    members: list[Json]

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
        """Every accessor with a value for each vertex, once."""
        holders = [self.attributes, *self.targets]
        return list(dict.fromkeys(at for holder in holders for at in holder.values()))

    @property
    def accessors(self) -> set[int]:
        return {*self.vertex_accessors} | ({self.indices} if self.indices is not None else set())


def triangle_groups(model: Model) -> list[Group]:
    """The groups of all primitives that are plain triangles, in the order of the file."""
    groups: dict[tuple[object, ...], Group] = {}
    for place, primitive in primitives(model.json):
        if primitive.get("mode", 4) != 4 or DRACO in primitive.get("extensions", {}):
            continue
        targets = tuple(tuple(sorted(target.items())) for target in primitive.get("targets", []))
        key = (*sorted(primitive.get("attributes", {}).items()), primitive.get("indices"), targets)
        groups.setdefault(key, Group(place, [])).members.append(primitive)
    return list(groups.values())


def own_groups(model: Model) -> tuple[list[Group], list[str]]:
    """The groups whose arrays are theirs alone and plainly in the file; and why others are not among them."""
    users = accessor_users(model.json)
    kept, left = [], []
    for group in triangle_groups(model):
        reason = why_not_own(model, group, users)
        if reason is None:
            kept.append(group)
        else:
            left.append(f"{group.place}, because it {reason}")
    return kept, left


def why_not_own(model: Model, group: Group, users: dict[int, int]) -> str | None:
    """Why this group's arrays cannot be changed, or None when they can."""
    reason = why_not_read(model, group)
    return "shares its vertices with another part" if not reason and is_shared(group, users) else reason


def is_shared(group: Group, users: dict[int, int]) -> bool:
    """Whether something beside the group's members names one of its accessors."""
    named = [*group.attributes.values(), *(at for target in group.targets for at in target.values())]
    named += [] if group.indices is None else [group.indices]
    return any(users[at] != named.count(at) * len(group.members) for at in group.accessors)


def why_not_read(model: Model, group: Group) -> str | None:
    """Why this group's arrays cannot be told, or None when they can."""
    if "POSITION" not in group.attributes:
        return "has no positions"
    if not all(is_readable(model, at) for at in group.accessors):
        return "is compressed already"
    counts = {int(model.json["accessors"][at]["count"]) for at in group.vertex_accessors}
    return "morphs another number of vertices than it has" if len(counts) > 1 else None


def faces_of(model: Model, group: Group) -> NDArray[np.uint32]:
    """The group's triangles, (n, 3)."""
    if group.indices is None:
        flat = np.arange(model.json["accessors"][group.attributes["POSITION"]]["count"], dtype=np.uint32)
    else:
        flat = read(model, group.indices)[:, 0].astype(np.uint32)
    return flat[: len(flat) // 3 * 3].reshape(-1, 3)


def plain_bytes(model: Model, group: Group) -> int:
    """How many bytes the group's arrays take."""
    return sum(stored_bytes(model.json["accessors"][at]) for at in group.accessors)


def live_bytes(model: Model) -> int:
    """How many bytes all arrays take that something names."""
    return sum(stored_bytes(model.json["accessors"][at]) for at in accessor_users(model.json))

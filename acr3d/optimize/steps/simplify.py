"""Simplify: fewer triangles, by collapsing edges where shape, shading and texture change least.

Only existing vertices are kept and none is moved, so skin weights, morph targets and all other values stay
valid, and texture seams stay closed. Triangles whose loss would show in the shape stay, even above the limit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import Array, as_floats, read_accessor
from acr3d.gltf.extensions import can_renumber
from acr3d.gltf.model import Model
from acr3d.gltf.traversal import total_triangles
from acr3d.optimize import edge_collapse, meshoptimizer
from acr3d.optimize.mesh_units import mesh_units
from acr3d.optimize.primitive_groups import (
    PrimitiveGroup,
    array_bytes,
    editable_groups,
    keep_vertices,
    read_faces,
    write_faces,
)
from acr3d.optimize.shape_change import shape_change

Faces = NDArray[np.uint32]
Simplifier = Callable[[Faces, dict[str, Array], int, float], Faces]
"""From triangles (n, 3), attributes by name, the number of triangles wanted and the largest error, as a share
of the mesh's longest side, to fewer triangles. The result uses some of the same vertices.
"""
Record = Callable[[Faces, dict[str, Array], Faces], None]
"""Takes triangles, attributes, and the fewer triangles."""

# How far the result may be from the source: as a share of the model's longest side, and of the mesh's middle
# one, which is the thickness of a rod.
MOST_OFF = 0.005
_MOST_OFF_OWN = 0.05
# A simplifier only estimates its error, in the mean, and counts shading too. So the result is measured: the
# first try allows this much more, and further ones a quarter of what was too much, or what lies between.
_FIRST_FACTOR, _NEXT_FACTOR, _TRIES = 4.0, 0.25, 6
# Points that are measured: in the whole model, and in one of its groups.
_POINTS, _FEWEST_POINTS, _MOST_POINTS = 10_000, 50, 1000
# What some groups cannot give is asked of the others, at most this often.
_ROUNDS = 3
_NEARLY = 1.05
# The largest groups are simplified. All of an assembly of thousands of parts would take minutes.
_MOST_GROUPS = 500
_TOO_MANY = f"more than {edge_collapse.MOST_TRIANGLES:,} need `make meshopt` on the server"
_FEWEST = 12


@dataclass
class SimplifyResult:
    """Removed triangles, what was not simplified and why, and the arrays' bytes before and after."""

    removed: int = 0
    left_alone: list[str] = field(default_factory=list)
    bytes_before: int = 0
    bytes_after: int = 0


@dataclass(eq=False)
class _Task:
    """A group to simplify, its triangles, and how far it may be off, in its own unit, at how many points.

    `fewer` are the triangles that it can do with.
    """

    group: PrimitiveGroup
    count: int
    most_off: float
    points: int
    fewer: Faces | None = None

    @property
    def kept(self) -> int:
        return self.count if self.fewer is None else len(self.fewer)


def simplify(model: Model, most_triangles: int, record: Record | None = None) -> SimplifyResult:
    """Reduce the model to `most_triangles` as far as its shape allows; changes `model`.

    `record` gets every change.
    """
    result, total = SimplifyResult(), total_triangles(model.json)
    if total <= most_triangles:
        return result
    simplifier = default_simplifier()
    if simplifier is edge_collapse.simplify and total > edge_collapse.MOST_TRIANGLES:
        return SimplifyResult(left_alone=[f"the triangles, because {_TOO_MANY}"])
    groups, left_out = editable_groups(model) if can_renumber(model.json) else ([], ["the whole model"])
    result.left_alone += left_out
    tasks = sorted(_tasks(model, groups, total), key=lambda task: -task.count)
    if len(tasks) > _MOST_GROUPS:
        result.left_alone.append(f"{len(tasks) - _MOST_GROUPS} small parts, because there are too many")
        tasks = tasks[:_MOST_GROUPS]
    fixed = total - sum(task.count * task.group.uses for task in tasks)
    _reduce(model, tasks, most_triangles - fixed, simplifier, result)
    for task in tasks:
        _use_fewer(model, task, record, result)
    left = total_triangles(model.json)
    if left > most_triangles:
        why = "" if result.left_alone else ", because fewer would change the shape"
        result.left_alone.append(f"below {left} triangles (the limit is {most_triangles}){why}")
    return result


def _tasks(model: Model, groups: list[PrimitiveGroup], triangles: int) -> list[_Task]:
    units, tasks = mesh_units(model), []
    for group in groups:
        count = len(read_faces(model, group))
        points = min(max(_POINTS * count // triangles, _FEWEST_POINTS), _MOST_POINTS)
        tasks.append(_Task(group, count, MOST_OFF * units(group), points))
    return tasks


def _reduce(
    model: Model, tasks: list[_Task], wanted: int, simplifier: Simplifier, result: SimplifyResult
) -> None:
    """Find fewer triangles for every group, about `wanted` together.

    All keep the same share of their triangles. Where a group's shape needs more, the others keep fewer.
    """
    waiting = tasks
    for _ in range(_ROUNDS):
        share = max(0, wanted) / max(1, sum(task.count * task.group.uses for task in waiting))
        for task in waiting:
            task.fewer = _fewer(model, task, max(_FEWEST, int(share * task.count)), simplifier, result)
        most = {task: max(_FEWEST, _NEARLY * share * task.count) for task in waiting}
        wanted -= sum(task.kept * task.group.uses for task in waiting if task.kept > most[task])
        left = [task for task in waiting if task.kept <= most[task]]
        if len(left) in (0, len(waiting)):
            return
        waiting = left


def default_simplifier() -> Simplifier:
    """meshoptimizer's simplifier if it is installed, else our own."""
    return meshoptimizer.simplify if meshoptimizer.is_available() else edge_collapse.simplify


def _use_fewer(model: Model, task: _Task, record: Record | None, result: SimplifyResult) -> None:
    if task.fewer is None:
        return
    group = task.group
    if record:
        attributes = {name: read_accessor(model, at) for name, at in group.attributes.items()}
        record(read_faces(model, group), attributes, task.fewer)
    result.bytes_before += array_bytes(model, group)
    used, numbers = np.unique(task.fewer, return_inverse=True)
    keep_vertices(model, group, used.astype(np.intp))
    write_faces(model, group, numbers.reshape(-1, 3).astype(np.uint32), len(used))
    result.removed += (task.count - task.kept) * group.uses
    result.bytes_after += array_bytes(model, group)


def _fewer(
    model: Model, task: _Task, wanted: int, simplifier: Simplifier, result: SimplifyResult
) -> Faces | None:
    """Fewer triangles of the same shape; None if there are none."""
    if wanted >= task.count:
        return None
    group, faces = task.group, read_faces(model, task.group)
    attributes = {name: read_accessor(model, at) for name, at in group.attributes.items()}
    positions = as_floats(attributes["POSITION"], model.json["accessors"][group.attributes["POSITION"]])
    _, middle, longest = np.sort(np.ptp(positions, axis=0)).tolist()
    most_off = min(task.most_off, _MOST_OFF_OWN * middle)
    error, right, wrong, found = _FIRST_FACTOR * most_off / max(longest, 1e-30), 0.0, 0.0, None
    for _ in range(_TRIES if most_off > 0 else 0):
        try:
            fewer = simplifier(faces, attributes, wanted, error)
            is_right = len(fewer) > 0 and shape_change(positions, faces, fewer, task.points) <= most_off
        except MemoryError:
            result.left_alone.append(f"{group.place}, because that needs too much memory")
            return None
        if is_right:
            found, right = fewer, error
            if not wrong or len(fewer) <= wanted:
                break
        else:
            wrong = error
        error = math.sqrt(right * wrong) if right else _NEXT_FACTOR * wrong
    return found if found is not None and len(found) < len(faces) else None

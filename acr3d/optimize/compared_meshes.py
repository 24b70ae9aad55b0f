"""What of a result is compared with what of its source: the same parts of both, in the same space."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from acr3d.gltf.accessors import Array
from acr3d.gltf.model import Model
from acr3d.gltf.primitive_mesh import PrimitiveMesh, read_primitive_mesh
from acr3d.gltf.scene_graph import Matrix, mesh_instances
from acr3d.optimize.origins import Origins, Shown
from acr3d.optimize.shape_change import some_of

_MOST = 50


@dataclass(frozen=True)
class ComparedMesh:
    """A primitive of the result, what it was in the source, and the scale from their space to metres."""

    scale: float
    before: PrimitiveMesh
    after: PrimitiveMesh


def compared_meshes(source: Model, result: Model, origins: Origins, placed: Matrix) -> Iterator[ComparedMesh]:
    """Everything that the default scene shows and that can be read; of very many meshes, some.

    `placed`: the matrix (4, 4) that was applied to the whole scene.
    """
    before = {each.node: each.matrix for each in mesh_instances(source)}
    after = {each.node: each.matrix for each in mesh_instances(result)}
    # The same two meshes are compared once, however many nodes show them.
    chosen = {
        (_mesh(result, now), *(_mesh(source, each) for each in shown)): (now, shown)
        for now, shown in origins.sources.items()
        if now[0] in after and all(node in before for node, _ in shown)
    }
    pairs = list(chosen.values())
    for at in some_of(np.arange(len(pairs)), _MOST).tolist():
        now, shown = pairs[at]
        scale = abs(np.linalg.det(before[shown[0][0]][:3, :3])) ** (1 / 3)
        matrices = [np.eye(4)]
        if now[0] in origins.joined:
            here = np.linalg.inv(after[now[0]]) @ placed
            matrices = [here @ before[node] for node, _ in shown]
            scale = abs(1 / np.linalg.det(here[:3, :3])) ** (1 / 3)
        was, is_ = _read(source, shown, matrices), _read(result, [now], [np.eye(4)])
        if was and is_ and len(was.faces) and len(is_.faces):
            yield ComparedMesh(scale, was, is_)


def _mesh(model: Model, shown: Shown) -> tuple[int, int]:
    node, primitive = shown
    return model.json["nodes"][node]["mesh"], primitive


def _read(model: Model, shown: list[Shown], matrices: list[Matrix]) -> PrimitiveMesh | None:
    """Primitives as one, each in its place; None if one cannot be read."""
    found = []
    for each in shown:
        mesh, number = _mesh(model, each)
        read = read_primitive_mesh(model, model.json["meshes"][mesh]["primitives"][number])
        if read is None:
            return None
        found.append(read)
    if len(found) == 1 and (matrices[0] == np.eye(4)).all():
        return found[0]
    starts = np.cumsum([0, *(len(each.positions) for each in found)]).astype(np.uint32)
    has_normals = all(each.normals is not None for each in found)
    pairs = list(zip(found, matrices, strict=True))
    return PrimitiveMesh(
        np.concatenate([each.faces + start for each, start in zip(found, starts, strict=False)]),
        np.concatenate([each.positions @ at[:3, :3].T + at[:3, 3] for each, at in pairs]),
        np.concatenate([_turned(each.normals, at) for each, at in pairs]) if has_normals else None,
    )


def _turned(normals: Array | None, matrix: Matrix) -> Array:
    assert normals is not None  # noqa: S101 - the caller has checked it
    turned: Array = normals @ np.linalg.inv(matrix[:3, :3])
    return turned

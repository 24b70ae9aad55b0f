"""What a GLB's default scene shows at rest, as plain arrays: each triangle in the world, with its surface."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acr3d.gltf import draco
from acr3d.gltf.accessors import is_readable, read_accessor
from acr3d.gltf.check_buffers import check_buffers
from acr3d.gltf.check_json import check_json
from acr3d.gltf.errors import BadModel
from acr3d.gltf.extensions import DRACO
from acr3d.gltf.json_fields import Json
from acr3d.gltf.model import Model
from acr3d.gltf.scene_graph import MeshInstance, mesh_instances
from acr3d.render.materials import Surface, read_surfaces

Floats = NDArray[np.float64]
_KEPT = ("POSITION", "NORMAL", "COLOR_0")
_TRIANGLES, _STRIP, _FAN = 4, 5, 6


@dataclass(frozen=True)
class Scene:
    """`points`, `normals` (n, 3) and `colours` (n, 4, linear, 0 to 1), None where no primitive has any; `uv`:
    (n, 2) by UV set; `triangles`: (m, 3); `surface_of`: (m,) indices of `surfaces`."""

    points: NDArray[np.float32]
    triangles: NDArray[np.int32]
    normals: NDArray[np.float32] | None
    colours: NDArray[np.float32] | None
    uv: dict[int, NDArray[np.float32]]
    surface_of: NDArray[np.int32]
    surfaces: list[Surface]

    @property
    def box(self) -> tuple[Floats, Floats]:
        """The lowest and the highest corner of what the triangles use."""
        used = self.points[np.unique(self.triangles)]
        return used.min(0).astype(np.float64), used.max(0).astype(np.float64)


@dataclass(frozen=True)
class _Piece:
    """One placed primitive."""

    points: Floats
    triangles: NDArray[np.int64]
    attributes: dict[str, Floats]
    surface: int


def read_scene(path: Path, most_texels: int = 2048) -> Scene:
    """Read and check a file, its textures no larger than `most_texels` a side (0: none). Raises BadModel."""
    with Model(path) as model:
        check_json(model)
        check_buffers(model)
        pieces = list(_pieces(model))
        if not pieces:
            raise BadModel("The model shows nothing that could be drawn.", "empty")
        surfaces = read_surfaces(model, {piece.surface for piece in pieces}, most_texels)
    return _joined(pieces, surfaces)


def _pieces(model: Model) -> Iterator[_Piece]:
    for shown in mesh_instances(model):
        for primitive in model.json["meshes"][shown.mesh].get("primitives", []):
            if primitive.get("mode", _TRIANGLES) in (_TRIANGLES, _STRIP, _FAN):
                piece = _piece(model, shown, primitive)
                if len(piece.triangles):
                    yield piece


def _piece(model: Model, shown: MeshInstance, primitive: Json) -> _Piece:
    attributes, triangles = _decoded(model, primitive)
    # A skinned mesh stands where its bones are; at rest they all say the same.
    matrix = shown.matrix if shown.joints is None or not len(shown.joints) else shown.joints[0]
    with np.errstate(all="ignore"):
        points = attributes.pop("POSITION") @ matrix[:3, :3].T + matrix[:3, 3]
    if not np.isfinite(points).all():
        raise BadModel("The model is blown up beyond any number; it cannot be drawn.", "damaged")
    if np.linalg.det(matrix[:3, :3]) < 0:
        triangles = triangles[:, ::-1]
    if "NORMAL" in attributes:
        attributes["NORMAL"] = attributes["NORMAL"] @ np.linalg.pinv(matrix[:3, :3])
    return _Piece(points, triangles, attributes, primitive.get("material", -1))


def _decoded(model: Model, primitive: Json) -> tuple[dict[str, Floats], NDArray[np.int64]]:
    """The attributes that a picture needs, as floats, and the triangles."""
    accessors, names = model.json["accessors"], primitive.get("attributes", {})
    wanted = [name for name in names if name in _KEPT or name.startswith("TEXCOORD_")]
    packed = primitive.get("extensions", {}).get(DRACO)
    if packed is not None:
        mesh, ids = draco.decode(model.view_bytes(packed["bufferView"]), "the model"), packed["attributes"]
        held = {name: mesh.attributes[ids[name]] for name in wanted if name in ids}
        return _all_floats(held, accessors, names), mesh.faces.astype(np.int64)
    if not all(is_readable(model, names[name]) for name in wanted):
        sentence = "The model is compressed in a way that only browsers read; it is not drawn here."
        raise BadModel(sentence, "unsupported")
    attributes = _all_floats({name: read_accessor(model, names[name]) for name in wanted}, accessors, names)
    at = primitive.get("indices")
    plain = (
        np.arange(len(attributes["POSITION"]))
        if at is None
        else read_accessor(model, at)[:, 0].astype(np.int64)
    )
    return attributes, _triangles(plain, primitive.get("mode", _TRIANGLES))


def _triangles(corners: NDArray[np.int64], mode: int) -> NDArray[np.int64]:
    if mode == _TRIANGLES:
        return corners[: len(corners) // 3 * 3].reshape(-1, 3)
    if len(corners) < 3:
        return np.empty((0, 3), np.int64)
    if mode == _FAN:
        return np.column_stack([np.full(len(corners) - 2, corners[0]), corners[1:-1], corners[2:]])
    strip = np.column_stack([corners[:-2], corners[1:-1], corners[2:]])
    strip[1::2] = strip[1::2, ::-1]  # every second one is wound the other way
    return strip


def _all_floats(
    held: dict[str, NDArray[Any]], accessors: list[Json], names: dict[str, int]
) -> dict[str, Floats]:
    return {
        name: values / (np.iinfo(values.dtype).max if _is_share(accessors[names[name]]) else 1.0)
        for name, values in held.items()
    }


def _is_share(accessor: Json) -> bool:
    """Whether whole numbers stand for 0 to 1 (or −1 to 1)."""
    return bool(accessor.get("normalized")) and accessor["componentType"] != 5126


def _joined(pieces: list[_Piece], surfaces: dict[int, Surface]) -> Scene:
    """All pieces in one set of arrays; what a piece lacks is filled with what says nothing."""
    numbers = {key: number for number, key in enumerate(surfaces)}
    starts = np.cumsum([0] + [len(piece.points) for piece in pieces[:-1]])
    sets = {texture.channel for surface in surfaces.values() if (texture := surface.texture)}
    return Scene(
        points=np.concatenate([piece.points for piece in pieces]).astype(np.float32),
        triangles=np.concatenate(
            [piece.triangles + start for piece, start in zip(pieces, starts, strict=True)]
        ).astype(np.int32),
        normals=_attribute(pieces, "NORMAL", (0, 0, 0)),
        colours=_attribute(pieces, "COLOR_0", (1, 1, 1, 1)),
        uv={
            number: found
            for number in sets
            if (found := _attribute(pieces, f"TEXCOORD_{number}", (0, 0))) is not None
        },
        surface_of=np.repeat(
            [numbers[piece.surface] for piece in pieces], [len(piece.triangles) for piece in pieces]
        ).astype(np.int32),
        surfaces=list(surfaces.values()),
    )


def _attribute(pieces: list[_Piece], name: str, filling: tuple[float, ...]) -> NDArray[np.float32] | None:
    if not any(name in piece.attributes for piece in pieces):
        return None
    joined = np.empty((sum(len(piece.points) for piece in pieces), len(filling)), np.float32)
    start = 0
    for piece in pieces:
        place = joined[start : start + len(piece.points)]
        place[:] = filling
        values = piece.attributes.get(name)
        if values is not None:
            width = min(values.shape[1], len(filling))  # a colour may come without its alpha
            place[:, :width] = values[:, :width]
        start += len(piece.points)
    return joined

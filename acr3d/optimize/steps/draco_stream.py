"""One primitive into one Draco stream, and the proof that the stream holds what went in.

DracoPy gives back bytes only: attribute ids and counts are read from the decoded stream.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import DracoPy
import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import Array
from acr3d.gltf.draco import DracoMesh, decode
from acr3d.gltf.errors import BadModel
from acr3d.optimize.shape_moments import moments_differ
from acr3d.optimize.steps.draco_attributes import Held

# Ids for what is neither position, normal nor the first UV set; well above those that Draco gives itself.
_FIRST_GENERIC_ID = 16
_COMPONENT_TYPES = {"uint8": 5121, "uint16": 5123, "uint32": 5125, "float32": 5126}
_POSITION_STEPS = 1024
_MAX_BITS = 20
# As many as a float tells apart.
_MAX_TEXCOORD_BITS = 24
# Draco divides by the extent in single precision: beyond these it ends the process.
_EXTENTS = (1e-30, 1e30)


@dataclass(frozen=True)
class DracoOptions:
    """Bits per coordinate, and Draco's level (0 fast and large … 10 slow and small)."""

    position_bits: int = 14
    texcoord_bits: int = 12
    normal_bits: int = 10
    level: int = 10


@dataclass(frozen=True)
class Grid:
    """The cube that positions are rounded in: the same for all parts, so that touching parts do not crack."""

    origin: tuple[float, float, float]
    size: float
    bits: int


@dataclass(frozen=True)
class Stored:
    """How an attribute is typed once decoded."""

    component_type: int
    width: int
    is_normalized: bool


@dataclass(frozen=True)
class Encoded:
    """A stream and what was found in it when it was decoded again."""

    stream: bytes
    ids: dict[str, int]
    stored: dict[str, Stored]
    vertices: int
    triangles: int
    degenerate: int
    low: list[float]
    high: list[float]


def common_grid(positions: Iterable[Array], options: DracoOptions) -> Grid:
    """One grid over all primitives, fine enough for the smallest of them and for the thinnest side."""
    boxes = [(p.min(axis=0).astype(float), p.max(axis=0).astype(float)) for p in positions]
    low = np.min([box[0] for box in boxes], axis=0)
    sides = np.max([box[1] for box in boxes], axis=0) - low
    size = float(sides.max()) or 1.0
    # The whole model's thinnest side and each part's longest side get a thousand steps at least.
    spans = [*sides, *(float((box[1] - box[0]).max()) for box in boxes)]
    finest = min((span for span in spans if span > 0), default=size)
    needed = math.ceil(math.log2(size / finest * _POSITION_STEPS))
    return Grid(tuple(low.tolist()), size, min(max(needed, options.position_bits), _MAX_BITS))


def encode(
    faces: NDArray[np.uint32], attributes: dict[str, Held], grid: Grid, options: DracoOptions
) -> Encoded | str:
    """Encode one primitive; a str tells, as the end of a sentence ("it …"), why that did not work out.

    faces (n, 3); attributes by glTF name.
    """
    values = {name: held.values for name, held in attributes.items()}
    texcoord = values.get("TEXCOORD_0")
    if not all(_can_round(extent) for extent in (grid.size, 0.0 if texcoord is None else _extent(texcoord))):
        return "reaches beyond any sense"
    texcoord_bits = _texcoord_bits(attributes.get("TEXCOORD_0"), options)
    if texcoord_bits > _MAX_TEXCOORD_BITS:
        return "repeats a map too often for Draco's grid"
    try:
        stream = _stream(faces, values, grid, texcoord_bits, options)
        mesh = decode(stream, "the stream just made")
    except (DracoPy.EncodingFailedException, BadModel, ValueError, AssertionError):
        return "could not be compressed"
    ids = _ids(values, mesh)
    degenerate = _count_degenerate(faces, values["POSITION"])
    if ids is None or len(mesh.faces) != len(faces) - degenerate or not len(mesh.faces):
        return "lost triangles when it was compressed"
    if degenerate and any(name.startswith("JOINTS_") for name in values):
        return "has triangles that only its bones open"
    if moments_differ(faces, values, mesh.faces, {name: mesh.attributes[at] for name, at in ids.items()}):
        return "changed its shape when it was compressed"
    positions = mesh.attributes[mesh.position_id]
    stored = {
        name: Stored(
            _COMPONENT_TYPES[mesh.attributes[ids[name]].dtype.name], held.values.shape[1], held.is_normalized
        )
        for name, held in attributes.items()
    }
    bounds = positions.min(axis=0).tolist(), positions.max(axis=0).tolist()
    return Encoded(stream, ids, stored, mesh.count, len(mesh.faces), degenerate, *bounds)


def _stream(
    faces: NDArray[np.uint32],
    values: dict[str, Array],
    grid: Grid,
    texcoord_bits: int,
    options: DracoOptions,
) -> bytes:
    others = [name for name in values if name not in ("POSITION", "NORMAL", "TEXCOORD_0")]
    texcoord, normals = values.get("TEXCOORD_0"), values.get("NORMAL")
    stream: bytes = DracoPy.encode(
        values["POSITION"],
        faces,
        quantization_bits=grid.bits,
        quantization_range=grid.size,
        quantization_origin=list(grid.origin),
        compression_level=options.level,
        # DracoPy takes doubles only for these two.
        tex_coord=None if texcoord is None else texcoord.astype(np.float64),
        normals=None if normals is None else normals.astype(np.float64),
        tex_coord_quantization_bits=texcoord_bits,
        normal_quantization_bits=options.normal_bits,
        generic_attributes={_FIRST_GENERIC_ID + at: values[name] for at, name in enumerate(others)} or None,
    )
    return stream


def _texcoord_bits(texcoord: Held | None, options: DracoOptions) -> int:
    """Draco's bits share out the whole range, so UVs that repeat a map many times need more of them."""
    repeats = 1.0 if texcoord is None else _extent(texcoord.values) * texcoord.scale
    return options.texcoord_bits + (math.ceil(math.log2(repeats)) if repeats > 1 else 0)


def _extent(values: Array) -> float:
    return float(np.ptp(values.astype(np.float64), axis=0).max())


def _can_round(extent: float) -> bool:
    return extent == 0 or _EXTENTS[0] < extent < _EXTENTS[1]


def _ids(values: dict[str, Array], mesh: DracoMesh) -> dict[str, int] | None:
    """The decoded stream's id of every attribute, or None when one is not there as it went in."""
    others = [name for name in values if name not in ("POSITION", "NORMAL", "TEXCOORD_0")]
    ids = {name: _FIRST_GENERIC_ID + at for at, name in enumerate(others)}
    ids |= {
        name: mesh.by_type[kind]
        for name, kind in (("POSITION", 0), ("NORMAL", 1), ("TEXCOORD_0", 3))
        if name in values and kind in mesh.by_type
    }
    for name, array in values.items():
        found = mesh.attributes.get(ids.get(name, -1))
        if found is None or found.shape[1] != array.shape[1] or found.dtype != array.dtype:
            return None
    return ids


def _count_degenerate(faces: NDArray[np.uint32], positions: Array) -> int:
    """Triangles with two corners at the very same place: they have no area, and Draco drops them."""
    # Bit for bit, as Draco compares them: 0.0 and -0.0 are two places to it.
    bits = np.ascontiguousarray(positions, np.float32).view(np.uint32)
    first, second, third = (bits[faces[:, at]] for at in range(3))
    same = [
        (a[:, 0] == b[:, 0]) & (a[:, 1] == b[:, 1]) & (a[:, 2] == b[:, 2])
        for a, b in ((first, second), (second, third), (third, first))
    ]
    return int((same[0] | same[1] | same[2]).sum())

"""Encoding one primitive as one Draco stream, and checking that the stream holds what went in.

DracoPy returns bytes only, so attribute ids and counts are read by decoding the stream again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import DracoPy
import numpy as np
from numpy.typing import NDArray

from acr3d.gltf.accessors import Array
from acr3d.gltf.draco import DracoMesh, decode
from acr3d.gltf.errors import BadModel
from acr3d.optimize.draco.attributes import DracoAttribute
from acr3d.optimize.draco.shape_moments import moments_differ

# Ids for attributes other than position, normal and first UV set; well above those that Draco assigns.
_FIRST_GENERIC_ID = 16
_COMPONENT_TYPES = {"uint8": 5121, "uint16": 5123, "uint32": 5125, "float32": 5126}
_POSITION_STEPS = 1024
_MAX_BITS = 20
_SIMPLE_LEVEL = 4
# Up to this level normals are predicted from their neighbours, above it from the triangles around them. That
# is worse where edges are hard or seams are many. Small meshes are not worth a second try.
_NEIGHBOUR_LEVEL, _FEWEST_TRIANGLES = 6, 1000
# The precision of a float.
_MAX_TEXCOORD_BITS = 24
# Draco divides by the extent in single precision: outside this range it aborts the process.
_EXTENTS = (1e-30, 1e30)


@dataclass(frozen=True)
class DracoOptions:
    """Bits per coordinate, and Draco's compression level (0 fast and large … 10 slow and small)."""

    position_bits: int = 15
    texcoord_bits: int = 12
    normal_bits: int = 9
    compression_level: int = 10


@dataclass(frozen=True)
class QuantizationGrid:
    """The cube in which positions are rounded. All parts share it, so that touching parts do not crack."""

    origin: tuple[float, float, float]
    size: float
    bits: int


@dataclass(frozen=True)
class StoredAttribute:
    """The type of a decoded attribute."""

    component_type: int
    width: int
    is_normalized: bool


@dataclass(frozen=True)
class EncodedStream:
    """A stream and what decoding it again showed; `low` and `high` are the corners of its bounding box."""

    stream: bytes
    ids: dict[str, int]
    stored: dict[str, StoredAttribute]
    vertices: int
    triangles: int
    degenerate: int
    low: list[float]
    high: list[float]


def common_grid(positions: Iterable[Array], options: DracoOptions) -> QuantizationGrid:
    """One grid for all primitives, fine enough for the smallest of them and for the thinnest side."""
    boxes = [(p.min(axis=0).astype(float), p.max(axis=0).astype(float)) for p in positions]
    low = np.min([box[0] for box in boxes], axis=0)
    sides = np.max([box[1] for box in boxes], axis=0) - low
    size = float(sides.max()) or 1.0
    # The whole model's thinnest side and each part's longest side get at least 1024 steps.
    spans = [*sides, *(float((box[1] - box[0]).max()) for box in boxes)]
    finest = min((span for span in spans if span > 0), default=size)
    needed = math.ceil(math.log2(size / finest * _POSITION_STEPS))
    return QuantizationGrid(tuple(low.tolist()), size, min(max(needed, options.position_bits), _MAX_BITS))


def encode_stream(
    faces: NDArray[np.uint32],
    attributes: dict[str, DracoAttribute],
    grid: QuantizationGrid,
    options: DracoOptions,
) -> EncodedStream | str:
    """Encode one primitive: `faces` (n, 3) and its attributes by name.

    Returns a str if that fails: the reason, as the end of a sentence ("it …").
    """
    values = {name: attribute.values for name, attribute in attributes.items()}
    texcoord = values.get("TEXCOORD_0")
    if not all(_can_round(extent) for extent in (grid.size, 0.0 if texcoord is None else _extent(texcoord))):
        return "has sizes beyond the range of numbers"
    texcoord_bits = _texcoord_bits(attributes.get("TEXCOORD_0"), options)
    if texcoord_bits > _MAX_TEXCOORD_BITS:
        return "repeats a texture too often for Draco's precision"
    found = _coded(faces, values, grid, texcoord_bits, options)
    if found is None and options.compression_level > _SIMPLE_LEVEL:
        # The higher levels predict UVs from positions, which overflows with many bits.
        simple = replace(options, compression_level=_SIMPLE_LEVEL)
        found = _coded(faces, values, grid, texcoord_bits, simple)
    if found is None:
        return "could not be compressed"
    stream, mesh = found
    ids = _ids(values, mesh)
    degenerate = _count_degenerate(faces, values["POSITION"])
    if ids is None or len(mesh.faces) != len(faces) - degenerate or not len(mesh.faces):
        return "lost triangles when it was compressed"
    if degenerate and any(name.startswith("JOINTS_") for name in values):
        return "has triangles that only its bones pull open"
    if moments_differ(faces, values, mesh.faces, {name: mesh.attributes[at] for name, at in ids.items()}):
        return "changed its shape when it was compressed"
    positions = mesh.attributes[mesh.position_id]
    stored = {
        name: StoredAttribute(
            _COMPONENT_TYPES[mesh.attributes[ids[name]].dtype.name],
            attribute.values.shape[1],
            attribute.is_normalized,
        )
        for name, attribute in attributes.items()
    }
    bounds = positions.min(axis=0).tolist(), positions.max(axis=0).tolist()
    return EncodedStream(stream, ids, stored, mesh.count, len(mesh.faces), degenerate, *bounds)


def _coded(
    faces: NDArray[np.uint32],
    values: dict[str, Array],
    grid: QuantizationGrid,
    texcoord_bits: int,
    options: DracoOptions,
) -> tuple[bytes, DracoMesh] | None:
    """The stream and what it holds; None if Draco fails."""
    try:
        stream = _stream(faces, values, grid, texcoord_bits, options)
        if len(faces) >= _FEWEST_TRIANGLES and options.compression_level > _NEIGHBOUR_LEVEL:
            other = replace(options, compression_level=_NEIGHBOUR_LEVEL)
            stream = min(stream, _stream(faces, values, grid, texcoord_bits, other), key=len)
        return stream, decode(stream, "the new stream")
    except (DracoPy.EncodingFailedException, BadModel, ValueError, AssertionError):
        return None


def _stream(
    faces: NDArray[np.uint32],
    values: dict[str, Array],
    grid: QuantizationGrid,
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
        compression_level=options.compression_level,
        # DracoPy accepts only doubles for these two.
        tex_coord=None if texcoord is None else texcoord.astype(np.float64),
        normals=None if normals is None else normals.astype(np.float64),
        tex_coord_quantization_bits=texcoord_bits,
        normal_quantization_bits=options.normal_bits,
        generic_attributes={_FIRST_GENERIC_ID + at: values[name] for at, name in enumerate(others)} or None,
    )
    return stream


def _texcoord_bits(texcoord: DracoAttribute | None, options: DracoOptions) -> int:
    """Draco's bits cover the whole range, so UVs that repeat a texture many times need more of them."""
    repeats = 1.0 if texcoord is None else _extent(texcoord.values) * texcoord.scale
    return options.texcoord_bits + (math.ceil(math.log2(repeats)) if repeats > 1 else 0)


def _extent(values: Array) -> float:
    return float(np.ptp(values.astype(np.float64), axis=0).max())


def _can_round(extent: float) -> bool:
    return extent == 0 or _EXTENTS[0] < extent < _EXTENTS[1]


def _ids(values: dict[str, Array], mesh: DracoMesh) -> dict[str, int] | None:
    """The id of every attribute in the decoded stream, or None if one is missing or of another type."""
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
    """Count triangles with two corners at the same position: they have no area, and Draco drops them."""
    # Compared bit for bit, as Draco does: to it, 0.0 and -0.0 are different positions.
    bits = np.ascontiguousarray(positions, np.float32).view(np.uint32)
    first, second, third = (bits[faces[:, at]] for at in range(3))
    same = [
        (a[:, 0] == b[:, 0]) & (a[:, 1] == b[:, 1]) & (a[:, 2] == b[:, 2])
        for a, b in ((first, second), (second, third), (third, first))
    ]
    return int((same[0] | same[1] | same[2]).sum())

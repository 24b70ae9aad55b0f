"""Draco streams: checking what a stream claims before it is decoded, and decoding it.

The header follows Draco's bitstream specification, version 2.2 (the only one glTF allows).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import DracoPy
import numpy as np
from numpy.typing import NDArray

from acr3d.gltf import limits
from acr3d.gltf.errors import damaged, too_large

_METADATA_FLAG = 0x8000
_METADATA_DEPTH = 16
_NARROW_TYPES: dict[int, np.dtype[Any]] = {
    1: np.dtype("i1"),
    2: np.dtype("u1"),
    3: np.dtype("i2"),
    4: np.dtype("u2"),
}


@dataclass(frozen=True)
class DracoMesh:
    """A decoded stream: faces (n, 3) and each attribute's values (count, width) by its unique id.

    `by_type` holds the unique id of the last attribute of each Draco type (0 position, 1 normal, 3 UV).
    """

    faces: NDArray[np.uint32]
    attributes: dict[int, NDArray[Any]]
    by_type: dict[int, int]

    @property
    def position_id(self) -> int:
        return self.by_type[0]

    @property
    def count(self) -> int:
        return len(self.attributes[self.position_id])


class _HeaderReader:
    """A cursor over a stream's header; every read past the end raises IndexError."""

    def __init__(self, stream: bytes) -> None:
        self.stream, self.at = stream, 0

    def byte(self) -> int:
        self.at += 1
        return self.stream[self.at - 1]

    def varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise ValueError("varint too long")

    def skip(self, length: int) -> None:
        self.at += length
        if self.at > len(self.stream):
            raise IndexError("past the end")


def claimed_counts(stream: bytes, place: str) -> tuple[int, int]:
    """How many faces and vertices a stream's header claims, without decoding the stream."""
    reader = _HeaderReader(stream)
    try:
        if stream[:5] != b"DRACO" or stream[5:7] != b"\x02\x02" or stream[7] != 1:
            raise damaged(place, "is not a Draco 2.2 mesh")
        is_edgebreaker = stream[8] == 1
        reader.skip(11)
        if int.from_bytes(stream[9:11], "little") & _METADATA_FLAG:
            _skip_all_metadata(reader)
        if is_edgebreaker:
            reader.byte()  # the traversal's kind
            vertices, faces = reader.varint(), reader.varint()
        else:
            faces, vertices = reader.varint(), reader.varint()
    except (IndexError, ValueError) as error:
        raise damaged(place, "has an invalid Draco header") from error
    return faces, vertices


def _skip_all_metadata(reader: _HeaderReader) -> None:
    for _ in range(reader.varint()):
        reader.varint()  # the attribute's id
        _skip_metadata(reader, 0)
    _skip_metadata(reader, 0)


def _skip_metadata(reader: _HeaderReader, depth: int) -> None:
    if depth > _METADATA_DEPTH:
        raise ValueError("metadata nested too deeply")
    for _ in range(reader.varint()):
        reader.skip(reader.byte())
        reader.skip(reader.varint())
    for _ in range(reader.varint()):
        reader.skip(reader.byte())
        _skip_metadata(reader, depth + 1)


def check_claims(stream: bytes, triangles: int, vertices: int, place: str) -> None:
    """Raise BadModel if the header claims other counts than the accessors, or more than our limits."""
    faces, points = claimed_counts(stream, place)
    if faces > limits.TRIANGLES or points > limits.ELEMENTS:
        raise too_large(place, f"claims {faces} triangles and {points} points")
    if faces != triangles or points > max(vertices, 3 * faces):
        raise damaged(
            place,
            f"claims {faces} triangles and {points} points; its accessors say {triangles} and {vertices}",
        )


def decode(stream: bytes, place: str) -> DracoMesh:
    """Decode a stream whose claims were checked. Raises BadModel."""
    try:
        mesh = DracoPy.decode(stream)
    except (DracoPy.FileTypeException, ValueError, RuntimeError, TypeError) as error:
        raise damaged(place, f"cannot be decoded ({error})") from error
    attributes = {a["unique_id"]: _as_stored(a["data"], a["data_type"]) for a in mesh.attributes}
    by_type = {a["attribute_type"]: a["unique_id"] for a in mesh.attributes}
    faces = getattr(mesh, "faces", None)
    if faces is None or 0 not in by_type:
        raise damaged(place, "contains no mesh")
    return DracoMesh(np.asarray(faces).reshape(-1, 3), attributes, by_type)


def _as_stored(values: NDArray[Any], data_type: int) -> NDArray[Any]:
    """DracoPy widens 8- and 16-bit integers; this restores the type that the stream names."""
    return np.asarray(values).astype(_NARROW_TYPES.get(data_type, values.dtype), copy=False)

"""Writing one textured mesh as a GLB file (glTF 2.0, binary)."""

from __future__ import annotations

import io
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_FLOAT, _UNSIGNED = 5126, 5125
_VERTICES, _INDICES = 34962, 34963  # buffer targets
_JPEG_QUALITY = 90


@dataclass(frozen=True)
class Corners:
    """Per vertex `positions` and `normals` (n, 3) and `uvs` (n, 2), float32; `triangles` (m, 3)."""

    positions: NDArray[np.float32]
    normals: NDArray[np.float32]
    uvs: NDArray[np.float32]
    triangles: NDArray[np.uint32]


def write_glb(
    path: Path, corners: Corners, texture: NDArray[np.uint8] | None, material: dict[str, Any]
) -> None:
    """Write the file. `material` is its pbrMetallicRoughness, to which the texture is added."""
    buffer = _Buffer()
    attributes = {
        "POSITION": buffer.accessor(corners.positions, "VEC3", _FLOAT, _VERTICES, bounds=True),
        "NORMAL": buffer.accessor(corners.normals, "VEC3", _FLOAT, _VERTICES),
    }
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "acr3d built-in engine"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "materials": [{"pbrMetallicRoughness": material}],
    }
    if texture is not None:
        attributes["TEXCOORD_0"] = buffer.accessor(corners.uvs, "VEC2", _FLOAT, _VERTICES)
        document |= {
            "images": [{"bufferView": buffer.view(_jpeg(texture)), "mimeType": "image/jpeg"}],
            "samplers": [{"magFilter": 9729, "minFilter": 9987, "wrapS": 33071, "wrapT": 33071}],
            "textures": [{"source": 0, "sampler": 0}],
            "materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}} | material}],
        }
    indices = buffer.accessor(corners.triangles.reshape(-1), "SCALAR", _UNSIGNED, _INDICES)
    document["meshes"] = [{"primitives": [{"attributes": attributes, "indices": indices, "material": 0}]}]
    path.write_bytes(_container(document | buffer.entries(), bytes(buffer.content)))


class _Buffer:
    """The binary chunk as it grows, with its views and accessors."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def view(self, content: bytes, target: int | None = None) -> int:
        self.content += bytes(-len(self.content) % 4)
        view = {"buffer": 0, "byteOffset": len(self.content), "byteLength": len(content)}
        self.views.append(view | ({"target": target} if target else {}))
        self.content += content
        return len(self.views) - 1

    def accessor(
        self, values: NDArray[Any], shape: str, component: int, target: int, *, bounds: bool = False
    ) -> int:
        entry: dict[str, Any] = {
            "bufferView": self.view(values.tobytes(), target),
            "componentType": component,
            "count": len(values),
            "type": shape,
        }
        if bounds:
            entry |= {"min": values.min(0).tolist(), "max": values.max(0).tolist()}
        self.accessors.append(entry)
        return len(self.accessors) - 1

    def entries(self) -> dict[str, Any]:
        return {
            "buffers": [{"byteLength": len(self.content) + (-len(self.content) % 4)}],
            "bufferViews": self.views,
            "accessors": self.accessors,
        }


def _jpeg(texture: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(texture).save(stream, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return stream.getvalue()


def _container(document: dict[str, Any], content: bytes) -> bytes:
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    content += bytes(-len(content) % 4)
    chunks = (
        struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(content), b"BIN\0") + content
    )
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks

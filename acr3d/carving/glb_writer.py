"""Write one textured mesh as a GLB file (binary glTF 2.0).

The product's only use of pygltflib; docs/decisions/0032-engine-pygltflib.md says why.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pygltflib as gltf
from numpy.typing import NDArray
from PIL import Image

_JPEG_QUALITY = 90


@dataclass(frozen=True)
class VertexData:
    """`positions` and `normals` (n, 3) and `uvs` (n, 2) per vertex, float32; `triangles` (m, 3)."""

    positions: NDArray[np.float32]
    normals: NDArray[np.float32]
    uvs: NDArray[np.float32]
    triangles: NDArray[np.uint32]


def write_glb(
    path: Path, vertex_data: VertexData, texture: NDArray[np.uint8] | None, material: dict[str, Any]
) -> None:
    """Write the file. `material` is its pbrMetallicRoughness; the texture is added to it."""
    model = gltf.GLTF2(
        asset=gltf.Asset(generator="acr3d built-in engine"),
        scene=0,
        scenes=[gltf.Scene(nodes=[0])],
        nodes=[gltf.Node(mesh=0)],
    )
    buffer = _Buffer(model)
    attributes = gltf.Attributes(
        POSITION=buffer.vertices(vertex_data.positions, bounds=True),
        NORMAL=buffer.vertices(vertex_data.normals),
    )
    surface = gltf.PbrMetallicRoughness(**material)
    if texture is not None:
        attributes.TEXCOORD_0 = buffer.vertices(vertex_data.uvs)
        surface.baseColorTexture = gltf.TextureInfo(index=0)
        model.images = [gltf.Image(bufferView=buffer.view(_jpeg(texture)), mimeType=gltf.IMAGEJPEG)]
        model.samplers = [_sampler()]
        model.textures = [gltf.Texture(source=0, sampler=0)]
    indices = buffer.indices(vertex_data.triangles.reshape(-1))
    model.materials = [gltf.Material(pbrMetallicRoughness=surface)]
    model.meshes = [
        gltf.Mesh(primitives=[gltf.Primitive(attributes=attributes, indices=indices, material=0)])
    ]
    buffer.close()
    model.save_binary(path)


class _Buffer:
    """Builds the binary chunk and its buffer views and accessors."""

    def __init__(self, model: gltf.GLTF2) -> None:
        self.model = model
        self.content = bytearray()

    def view(self, content: bytes, target: int | None = None) -> int:
        self.content += bytes(-len(self.content) % 4)
        offset = len(self.content)
        self.model.bufferViews.append(
            gltf.BufferView(buffer=0, byteOffset=offset, byteLength=len(content), target=target)
        )
        self.content += content
        return len(self.model.bufferViews) - 1

    def vertices(self, values: NDArray[np.float32], *, bounds: bool = False) -> int:
        view = self.view(values.tobytes(), gltf.ARRAY_BUFFER)
        entry = gltf.Accessor(
            bufferView=view, componentType=gltf.FLOAT, count=len(values), type=f"VEC{values.shape[1]}"
        )
        if bounds:
            entry.min, entry.max = values.min(0).tolist(), values.max(0).tolist()
        return self._add(entry)

    def indices(self, values: NDArray[np.uint32]) -> int:
        view = self.view(values.tobytes(), gltf.ELEMENT_ARRAY_BUFFER)
        return self._add(
            gltf.Accessor(
                bufferView=view, componentType=gltf.UNSIGNED_INT, count=len(values), type=gltf.SCALAR
            )
        )

    def close(self) -> None:
        """Attach the finished buffer to the model."""
        self.content += bytes(-len(self.content) % 4)
        self.model.buffers = [gltf.Buffer(byteLength=len(self.content))]
        self.model.set_binary_blob(bytes(self.content))

    def _add(self, entry: gltf.Accessor) -> int:
        self.model.accessors.append(entry)
        return len(self.model.accessors) - 1


def _sampler() -> gltf.Sampler:
    """Trilinear filtering, clamped at the atlas's border."""
    return gltf.Sampler(
        magFilter=gltf.LINEAR,
        minFilter=gltf.LINEAR_MIPMAP_LINEAR,
        wrapS=gltf.CLAMP_TO_EDGE,
        wrapT=gltf.CLAMP_TO_EDGE,
    )


def _jpeg(texture: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(texture).save(stream, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return stream.getvalue()

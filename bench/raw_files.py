"""Make a heavy model such as a generator returns: `python -m bench.raw_files IN.glb OUT.glb [--material 0]`.

What one material shows becomes one mesh of at least --triangles: long edges are split, and the surface gets
slight waves. Its base colour, metal and roughness, and normal maps are enlarged to --side, get slight --grain
where they were smaller, and are stored as PNG or JPEG. 32-bit indices, no compression, no tangents, the
longest side is 1. For bench.optimize, which should measure files that nothing was tuned on.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from acr3d.gltf.accessors import as_floats, read_accessor
from acr3d.gltf.model import Model
from acr3d.gltf.scene_graph import mesh_instances
from acr3d.gltf.validate import validate
from acr3d.gltf.write import write_glb

_MAPS = (("baseColorTexture", "base"), ("metallicRoughnessTexture", "metal and roughness"))
_JPEG_QUALITY = 92
_WAVES, _HEIGHT = 40.0, 0.0004

Floats = NDArray[np.float64]
Faces = NDArray[np.int64]


def main() -> None:
    """Read, make heavy, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--material", type=int, default=0)
    parser.add_argument("--triangles", type=int, default=110_000)
    parser.add_argument("--side", type=int, default=2048)
    parser.add_argument("--grain", type=float, default=1.0)
    parser.add_argument("--format", choices=("PNG", "JPEG"), default="JPEG")
    options = parser.parse_args()
    with Model(options.source) as model:
        validate(model)
        vertices, faces = _shown(model, options.material)
        vertices, faces = _split(vertices, faces, options.triangles)
        data = _document(model, options)
        _add_mesh(model, data, _waved(vertices), faces)
        model.json.clear()
        model.json.update(data)
        write_glb(model, options.target)
    print(f"{options.target.name}: {len(faces)} triangles, {options.target.stat().st_size:,} bytes")


def _shown(model: Model, material: int) -> tuple[Floats, Faces]:
    """Vertices (position, normal, texture coordinates) in the world, and triangles, with this material."""
    rows, faces, count = [], [], 0
    for each in mesh_instances(model):
        for primitive in model.json["meshes"][each.mesh]["primitives"]:
            if primitive.get("material") != material or primitive.get("mode", 4) != 4:
                continue
            position, normal, uv = (
                _values(model, primitive["attributes"][name]) for name in ("POSITION", "NORMAL", "TEXCOORD_0")
            )
            turn = each.matrix[:3, :3]
            rows.append(np.hstack([position @ turn.T + each.matrix[:3, 3], normal @ np.linalg.inv(turn), uv]))
            numbers = read_accessor(model, primitive["indices"]).astype(np.int64).reshape(-1, 3)
            faces.append(numbers + count)
            count += len(position)
    vertices = np.concatenate(rows)
    low, high = vertices[:, :3].min(axis=0), vertices[:, :3].max(axis=0)
    vertices[:, :3] = (vertices[:, :3] - (low + high) / 2) / (high - low).max()
    return vertices, np.concatenate(faces)


def _values(model: Model, number: int) -> Floats:
    return as_floats(read_accessor(model, number), model.json["accessors"][number])


def _split(vertices: Floats, faces: Faces, most: int) -> tuple[Floats, Faces]:
    """Halve the longest edges until there are `most` triangles; no cracks, because neighbours split alike."""
    while len(faces) < most:
        ends = np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1)
        lengths = np.linalg.norm(np.subtract(*(vertices[ends[..., at], :3] for at in (0, 1))), axis=-1)
        wanted = min(len(faces), most - len(faces)) / lengths.size
        is_long = np.round(lengths, 9) >= np.round(np.quantile(lengths, 1 - max(wanted, 1e-4)), 9)
        pairs, numbers = np.unique(np.sort(ends[is_long], axis=-1), axis=0, return_inverse=True)
        middle = np.full(is_long.shape, -1)
        middle[is_long] = numbers.ravel() + len(vertices)
        vertices = np.concatenate([vertices, vertices[pairs].mean(axis=1)])
        faces = np.concatenate([_halved(face, cut) for face, cut in _alike(faces, middle)])
    return vertices, faces


def _alike(faces: Faces, middle: Faces) -> list[tuple[Faces, Faces]]:
    """Triangles and the middles of their edges by number of cuts, turned so that the first edge is cut."""
    found = []
    cuts = (middle >= 0).sum(axis=1)
    for count in range(4):
        face, cut = faces[cuts == count], middle[cuts == count]
        # The cut edges come first: one is at 0, two are at 0 and 1.
        start = (cut >= 0).argmax(axis=1)
        start = np.where((count == 2) & (cut[:, 0] >= 0) & (cut[:, 2] >= 0), 2, start)
        order = (start[:, None] + np.arange(3)) % 3
        found.append((np.take_along_axis(face, order, 1), np.take_along_axis(cut, order, 1)))
    return found


def _halved(face: Faces, cut: Faces) -> Faces:
    """The triangles that result from cutting the first 0 to 3 edges of each."""
    (a, b, c), (ab, bc, ca) = face.T, cut.T
    if not len(face) or (cut[0] >= 0).sum() == 0:
        return face
    corners = {
        1: [(a, ab, c), (ab, b, c)],
        2: [(a, ab, c), (ab, b, bc), (ab, bc, c)],
        3: [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)],
    }[int((cut[0] >= 0).sum())]
    return np.concatenate([np.stack(each, axis=-1) for each in corners])


def _waved(vertices: Floats) -> Floats:
    vertices[:, 3:6] /= np.maximum(np.linalg.norm(vertices[:, 3:6], axis=1, keepdims=True), 1e-9)
    height = _HEIGHT * np.sin(_WAVES * vertices[:, :3]).sum(axis=1, keepdims=True)
    vertices[:, :3] += height * vertices[:, 3:6]
    return vertices


def _document(model: Model, options: argparse.Namespace) -> dict[str, Any]:
    """glTF with the material and its three maps; the images are added to the model."""
    material = model.json["materials"][options.material]
    was = material["pbrMetallicRoughness"]
    maps = [(*each, was[each[0]]["index"]) for each in _MAPS]
    maps.append(("normalTexture", "normal", material["normalTexture"]["index"]))
    shading, textures, images = {"metallicFactor": 1.0, "roughnessFactor": 1.0}, [], []
    made: dict[str, Any] = {"name": "material", "pbrMetallicRoughness": shading}
    for at, (slot, name, texture) in enumerate(maps):
        content = _enlarged(model.image_bytes(model.json["textures"][texture]["source"]), options, at)
        view = model.add_view(content)
        images.append({"name": name, "mimeType": f"image/{options.format.lower()}", "bufferView": view})
        textures.append({"source": at, "sampler": 0})
        (made if slot == "normalTexture" else made["pbrMetallicRoughness"])[slot] = {"index": at}
    return {
        "asset": {"version": "2.0", "generator": "bench.raw_files"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "part"}],
        "materials": [made],
        "textures": textures,
        "images": images,
        "samplers": [{"magFilter": 9729, "minFilter": 9987, "wrapS": 10497, "wrapT": 10497}],
        "buffers": model.json["buffers"],
        "bufferViews": model.json["bufferViews"],
    }


def _enlarged(content: bytes, options: argparse.Namespace, seed: int) -> bytes:
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    if max(picture.size) < options.side:
        side = (options.side, options.side)
        values = np.asarray(picture.resize(side, Image.Resampling.LANCZOS), np.float32)
        grain = np.random.default_rng(seed).normal(0, options.grain, values.shape)
        picture = Image.fromarray(np.clip(np.round(values + grain), 0, 255).astype(np.uint8))
    found = io.BytesIO()
    picture.save(found, options.format, **({"quality": _JPEG_QUALITY} if options.format == "JPEG" else {}))
    return found.getvalue()


def _add_mesh(model: Model, data: dict[str, Any], vertices: Floats, faces: Faces) -> None:
    columns = {"POSITION": vertices[:, :3], "NORMAL": vertices[:, 3:6], "TEXCOORD_0": vertices[:, 6:8]}
    data["accessors"], attributes = [], {}
    for name, values in columns.items():
        floats = np.ascontiguousarray(values, np.float32)
        accessor = {
            "bufferView": model.add_view(floats.tobytes()),
            "componentType": 5126,
            "count": len(floats),
            "type": f"VEC{floats.shape[1]}",
        }
        if name == "POSITION":
            accessor |= {"min": floats.min(axis=0).tolist(), "max": floats.max(axis=0).tolist()}
        attributes[name] = len(data["accessors"])
        data["accessors"].append(accessor)
    view = model.add_view(faces.astype(np.uint32).tobytes())
    indices = {"bufferView": view, "componentType": 5125, "count": faces.size, "type": "SCALAR"}
    data["accessors"].append(indices)
    primitive = {"attributes": attributes, "indices": len(columns), "material": 0}
    data["meshes"] = [{"primitives": [primitive]}]


if __name__ == "__main__":
    main()

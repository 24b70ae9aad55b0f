"""Small GLB files for the tests of acr3d.optimize, built from scratch."""

from __future__ import annotations

import copy
import io
import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from acr3d.optimize import pipeline
from tests.support.requirements import NODE_MODULES

TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
COMPONENTS = {"int8": 5120, "uint8": 5121, "int16": 5122, "uint16": 5123, "uint32": 5125, "float32": 5126}


def pack(data: dict[str, Any], binary: bytes = b"") -> bytes:
    """JSON and BIN chunk as one GLB."""
    text = json.dumps(data).encode()
    text += b" " * (-len(text) % 4)
    binary += bytes(-len(binary) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    if binary:
        chunks += struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def unpack(path: Path) -> tuple[dict[str, Any], bytes]:
    """A GLB's JSON and BIN chunk."""
    content = path.read_bytes()
    length = struct.unpack_from("<I", content, 12)[0]
    return json.loads(content[20 : 20 + length]), content[28 + length :]


def validator_errors(paths: list[Path]) -> list[Any]:
    """What the Khronos validator says of those files in which it finds an error."""
    program = (
        f"const validator = require({str(NODE_MODULES / 'gltf-validator')!r}); const fs = require('fs');"
        "(async () => { for (const path of process.argv.slice(1)) {"
        " const found = await validator.validateBytes(new Uint8Array(fs.readFileSync(path)));"
        " console.log(JSON.stringify(found.issues)); } })()"
    )
    done = subprocess.run(["node", "-e", program, *paths], capture_output=True, text=True, timeout=60)
    issues = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(issues) == len(paths), done.stderr
    return [found["messages"] for found in issues if found["numErrors"]]


def command(*args: object) -> subprocess.CompletedProcess[str]:
    """Run `python -m acr3d.optimize` with these arguments."""
    line = [sys.executable, "-m", "acr3d.optimize", *map(str, args)]
    return subprocess.run(line, capture_output=True, text=True, timeout=60)


class Builder:
    """Collects arrays and images into one buffer while the caller fills `data`."""

    def __init__(self) -> None:
        self.binary = b""
        self.data: dict[str, Any] = {
            "asset": {"version": "2.0"},
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": [{"mesh": 0, "name": "part"}],
            "meshes": [{"primitives": []}],
            "accessors": [],
            "bufferViews": [],
        }

    def view(self, content: bytes, **more: Any) -> int:
        self.binary += bytes(-len(self.binary) % 4)
        start = len(self.binary)
        self.binary += content
        self.data["bufferViews"].append(
            {"buffer": 0, "byteOffset": start, "byteLength": len(content), **more}
        )
        return len(self.data["bufferViews"]) - 1

    def accessor(self, values: np.ndarray, **more: Any) -> int:
        values = np.ascontiguousarray(values)
        width = values.shape[1] if values.ndim > 1 else 1
        self.data["accessors"].append(
            {
                "bufferView": self.view(values.tobytes()),
                "componentType": COMPONENTS[values.dtype.name],
                "count": len(values),
                "type": TYPES[width],
                **more,
            }
        )
        return len(self.data["accessors"]) - 1

    def positions(self, values: np.ndarray) -> int:
        low, high = values.min(axis=0).tolist(), values.max(axis=0).tolist()
        return self.accessor(values.astype(np.float32), min=low, max=high)

    def image(self, content: bytes, media_type: str, **more: Any) -> int:
        """An image and a texture of it; returns the texture."""
        images, textures = self.data.setdefault("images", []), self.data.setdefault("textures", [])
        images.append({"bufferView": self.view(content), "mimeType": media_type, **more})
        textures.append({"source": len(images) - 1})
        return len(textures) - 1

    def glb(self) -> bytes:
        data = self.data | {"buffers": [{"byteLength": len(self.binary)}]}
        return pack({key: value for key, value in data.items() if value != []}, self.binary)


def sphere(rings: int = 24, radius: float = 0.05) -> dict[str, np.ndarray]:
    """A UV sphere: positions, normals, uv (all float32) and faces (n, 3) without degenerate ones."""
    v, u = np.meshgrid(np.linspace(0.02, 0.98, rings), np.linspace(0, 1, 2 * rings), indexing="ij")
    theta, phi = v * np.pi, u * 2 * np.pi
    normals = np.stack([np.sin(theta) * np.cos(phi), np.cos(theta), np.sin(theta) * np.sin(phi)], -1)
    at = np.arange(v.size).reshape(v.shape)
    a, b, c, d = (corner.ravel() for corner in (at[:-1, :-1], at[:-1, 1:], at[1:, :-1], at[1:, 1:]))
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)])
    return {
        "positions": (normals * radius).reshape(-1, 3).astype(np.float32),
        "normals": normals.reshape(-1, 3).astype(np.float32),
        "uv": np.stack([u, v], -1).reshape(-1, 2).astype(np.float32),
        "faces": faces.astype(np.uint32),
    }


def add_sphere(
    builder: Builder, mesh: dict[str, np.ndarray] | None = None, mesh_number: int = 0, **more: Any
) -> dict[str, Any]:
    """Add a sphere as a primitive of a mesh and return the primitive."""
    mesh = mesh or sphere()
    primitive = {
        "attributes": {
            "POSITION": builder.positions(mesh["positions"]),
            "NORMAL": builder.accessor(mesh["normals"]),
            "TEXCOORD_0": builder.accessor(mesh["uv"]),
        },
        "indices": builder.accessor(mesh["faces"].ravel()),
        **more,
    }
    builder.data["meshes"][mesh_number]["primitives"].append(primitive)
    return primitive


def picture(width: int = 256, height: int = 256, mode: str = "RGB", seed: int = 1) -> Image.Image:
    """Smooth colours with a little noise, as a generated map has them."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / 64
    bands = [128 + 90 * np.sin(x * (band + 1) + seed) * np.cos(y + band) for band in range(len(mode))]
    noisy = np.stack(bands, -1) + rng.normal(0, 3, (height, width, len(mode)))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8).squeeze(), mode)


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def textured_sphere(format: str = "PNG") -> Builder:
    """What a generator returns: one mesh, one material, base colour, metal-rough and normal map."""
    builder = Builder()
    add_sphere(builder, material=0)
    maps = [
        builder.image(encoded(picture(seed=seed), format), f"image/{format.lower()}", name=name)
        for seed, name in enumerate(("base", "orm", "normal"))
    ]
    builder.data["materials"] = [
        {
            "name": "Steel",
            "pbrMetallicRoughness": {
                "baseColorTexture": {"index": maps[0]},
                "metallicRoughnessTexture": {"index": maps[1]},
            },
            "normalTexture": {"index": maps[2]},
        }
    ]
    return builder


ODD_VALUES = [
    -1,
    0,
    1,
    3,
    5121,
    5123,
    65535,
    2**31,
    2**32 - 1,
    2**53,
    0.5,
    1e30,
    True,
    None,
    "",
    "x",
    [],
    {},
    [0],
]


def mutated(glb: bytes, rng: np.random.Generator) -> bytes:
    """The file with odd values in its JSON, with bytes of its buffer changed, or with any bytes changed."""
    length = struct.unpack_from("<I", glb, 12)[0]
    choice = rng.random()
    if choice < 0.5:
        data = json.loads(glb[20 : 20 + length])
        for _ in range(rng.integers(1, 4)):
            _make_odd(data, rng)
        return pack(data, glb[28 + length :])
    start = 28 + length if choice < 0.8 else 0
    content = bytearray(glb)
    for _ in range(rng.integers(1, 6)):
        content[int(rng.integers(start, len(glb)))] = int(rng.integers(256))
    if choice > 0.98:
        del content[int(rng.integers(len(content))) :]
    return bytes(content)


def _make_odd(data: dict[str, Any], rng: np.random.Generator) -> None:
    """Walk to a random place and put an odd value there, take it away, or copy it from elsewhere."""
    holder: Any = data
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = keys[rng.integers(len(keys))]
        inner = holder[key]
        if not isinstance(inner, dict | list) or not inner or rng.random() < 0.1:
            break
        holder = inner
    if rng.random() < 0.2:
        del holder[key]
    elif rng.random() < 0.3 and isinstance(holder[key], int):
        holder[key] += int(rng.integers(-3, 4))
    else:
        # A copy, or the next step could put an odd list into itself, for all mutations to come.
        holder[key] = copy.deepcopy(ODD_VALUES[rng.integers(len(ODD_VALUES))])


def rich_model(rings: int = 12, side: int = 64) -> Builder:
    """A bit of everything that must survive: two scenes, a skin, a morph, two UV sets, extensions, extras."""
    builder = textured_sphere()
    mesh = sphere(rings)
    count = len(mesh["positions"])
    rng = np.random.default_rng(3)
    builder.data["meshes"][0]["primitives"] = []
    coloured = add_sphere(builder, mesh, material=0, extras={"batch": 7})
    coloured["attributes"] |= {
        "TEXCOORD_1": builder.accessor(rng.random((count, 2)).astype(np.float32)),
        "COLOR_0": builder.accessor(rng.integers(0, 255, (count, 4)).astype(np.uint8), normalized=True),
    }
    builder.data["meshes"] += [{"name": "morphed", "primitives": []}, {"name": "skinned", "primitives": []}]
    morphed = add_sphere(builder, mesh, mesh_number=1)
    morphed["targets"] = [{"POSITION": builder.positions(mesh["positions"] * 0.1)}]
    skinned = add_sphere(builder, mesh, mesh_number=2)
    weights = np.tile(np.array([1, 0, 0, 0], np.float32), (count, 1))
    skinned["attributes"] |= {
        "JOINTS_0": builder.accessor(np.zeros((count, 4), np.uint8)),
        "WEIGHTS_0": builder.accessor(weights),
    }
    inverse = builder.accessor(np.eye(4, dtype=np.float32).reshape(1, 16))
    times = builder.accessor(np.array([0, 1], np.float32), min=[0], max=[1])
    turns = builder.accessor(np.array([[0, 0, 0, 1], [0, 1, 0, 0]], np.float32))
    webp = builder.image(encoded(picture(side, side), "WEBP", lossless=True), "image/webp", name="lossless")
    builder.data["textures"][webp] = {"extensions": {"EXT_texture_webp": {"source": webp}}}
    builder.data["materials"][0] |= {"extras": {"supplier": "ACME"}, "emissiveTexture": {"index": webp}}
    builder.data["materials"][0]["extensions"] = {"KHR_materials_clearcoat": {"clearcoatFactor": 0.5}}
    builder.data |= {
        "extensionsUsed": ["EXT_texture_webp", "KHR_materials_clearcoat"],
        "extensionsRequired": ["EXT_texture_webp"],
        "extras": {"origin": "test"},
        "scenes": [{"nodes": [0, 1, 2], "name": "all"}, {"nodes": [0], "name": "one"}],
        "nodes": [
            {"mesh": 0, "name": "shell", "translation": [0.1, 0, 0]},
            {"mesh": 1, "name": "bulge", "scale": [2, 2, 2]},
            {"name": "holder", "children": [3, 4]},
            {"mesh": 2, "skin": 0, "name": "bent"},
            {"name": "joint"},
        ],
        "skins": [{"joints": [4], "inverseBindMatrices": inverse}],
        "animations": [
            {
                "name": "spin",
                "samplers": [{"input": times, "output": turns}],
                "channels": [{"sampler": 0, "target": {"node": 0, "path": "rotation"}}],
            }
        ],
    }
    return builder


def good_models(folder: Path) -> list[bytes]:
    """Small good files of several kinds, to be mutated: plain, JPEG maps, rich, and all of them optimized."""
    small = Builder()
    add_sphere(small, sphere(rings=6), material=0)
    map_ = small.image(encoded(picture(16, 16), "PNG"), "image/png")
    small.data["materials"] = [{"pbrMetallicRoughness": {"baseColorTexture": {"index": map_}}}]
    models = [small.glb(), textured_sphere("JPEG").glb(), rich_model(rings=6, side=16).glb()]
    for model in list(models):
        (folder / "raw.glb").write_bytes(model)
        pipeline.optimize(folder / "raw.glb", folder / "small.glb")
        models.append((folder / "small.glb").read_bytes())
    return models

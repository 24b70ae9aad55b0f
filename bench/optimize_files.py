"""The files that bench/optimize.py makes: images of twice the size, and geometry alone."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from acr3d.gltf.model import Model
from acr3d.gltf.traversal import total_triangles
from acr3d.gltf.validate import validate
from acr3d.gltf.write import write_glb
from acr3d.optimize.draco.stream import DracoOptions
from acr3d.optimize.geometry_steps import run_geometry_steps


def has_png_maps(source: Path) -> bool:
    """Whether a raw model's maps are PNG."""
    with Model(source) as model:
        return any(image.get("mimeType") == "image/png" for image in model.json.get("images", []))


def enlarge_maps(source: Path, target: Path, noise: float = 0.0) -> None:
    """The same model with its images enlarged to twice the size (Lanczos), as PNG, with Gaussian noise."""
    rng = np.random.default_rng(0)
    with Model(source) as model:
        for number, image in enumerate(model.json["images"]):
            picture = Image.open(io.BytesIO(model.image_bytes(number))).convert("RGB")
            larger = picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.LANCZOS)
            if noise:
                grain = rng.normal(0, noise, (larger.height, larger.width, 3))
                larger = Image.fromarray(np.rint(np.asarray(larger) + grain).clip(0, 255).astype(np.uint8))
            content = io.BytesIO()
            larger.save(content, "PNG")
            model.replace_view(image["bufferView"], content.getvalue())
        write_glb(model, target)


def reduce_geometry(source: Path, target: Path, triangles: int) -> None:
    """Reduce and compress the geometry to this many triangles, with the source's own images."""
    with Model(source) as model:
        validate(model)
        run_geometry_steps(model, triangles, DracoOptions())
        write_glb(model, target)


def triangles_of(path: Path) -> int:
    """How many triangles a file draws."""
    with Model(path) as model:
        validate(model)
        return total_triangles(model.json)


def geometry_bytes(path: Path) -> int:
    """All bytes of a file except its images."""
    with Model(path) as model:
        count = len(model.json.get("images", []))
        return model.bytes_in - sum(len(model.image_bytes(number)) for number in range(count))

"""The maps of an optimized model, and how much they differ from others."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from acr3d.optimize import pipeline
from tests.support.optimize_glbs import (
    Builder,
    unpack,
)


def optimized(builder: Builder, folder: Path) -> tuple[dict[str, Any], dict[str, Any], list[Image.Image]]:
    """The report, the JSON and every image, decoded."""
    (folder / "in.glb").write_bytes(builder.glb())
    report = pipeline.optimize(folder / "in.glb", folder / "out.glb", threads=2)
    data, binary = unpack(folder / "out.glb")
    pictures = []
    for image in data["images"]:
        view = data["bufferViews"][image["bufferView"]]
        pictures.append(Image.open(io.BytesIO(binary[view["byteOffset"] :][: view["byteLength"]])))
    return report, data, pictures


def difference(image: Image.Image, other: Image.Image, channels: str = "RGBA") -> float:
    """Mean difference of 0–255 values."""
    at = ["RGBA".index(channel) for channel in channels]
    pair = [np.asarray(each.convert("RGBA"), float)[..., at] for each in (image, other)]
    return float(np.abs(pair[0] - pair[1]).mean())

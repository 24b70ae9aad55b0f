"""Optimizing a model that a test has built, and reading the result without our own code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import DracoPy
import numpy as np
import pytest

from acr3d.optimize import pipeline
from tests.support.optimize_glbs import Builder, unpack

DRACO = "KHR_draco_mesh_compression"

at_every_level = pytest.mark.parametrize("level", ["web", "light", "full"])


def optimized(builder: Builder, folder: Path, level: str = "web") -> tuple[dict[str, Any], dict[str, Any]]:
    (folder / "in.glb").write_bytes(builder.glb())
    report = pipeline.optimize(folder / "in.glb", folder / "out.glb", level)
    assert not report["is_unchanged"], report["warnings"]
    return report, unpack(folder / "out.glb")[0]


def optimized_streams(builder: Builder, folder: Path) -> tuple[dict[str, Any], dict[str, Any], list[Any]]:
    """The report, the JSON and every primitive's decoded stream (None where it stayed plain)."""
    (folder / "in.glb").write_bytes(builder.glb())
    report = pipeline.optimize(folder / "in.glb", folder / "out.glb")
    data, binary = unpack(folder / "out.glb")
    meshes = []
    for primitive in (p for mesh in data["meshes"] for p in mesh["primitives"]):
        packed = primitive.get("extensions", {}).get(DRACO)
        view = data["bufferViews"][packed["bufferView"]] if packed else None
        stream = binary[view["byteOffset"] :][: view["byteLength"]] if view else None
        meshes.append(DracoPy.decode(stream) if stream else None)
    return report, data, meshes


def distances(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """From each point to its nearest other."""
    return np.sqrt(((points[:, None] - others[None]) ** 2).sum(-1).min(1))

"""Models whose size and position are known, and reading those from a result without our own code."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import DracoPy
import numpy as np
import pytest

from acr3d.optimize import pipeline
from acr3d.optimize.steps.real_size import RealSize
from tests.support.optimize_glbs import (
    Builder,
    add_sphere,
    sphere,
    unpack,
)

DRACO = "KHR_draco_mesh_compression"


PADDING = 20_000


HALF = math.sqrt(0.5)


EIGHTH = [0, math.sin(math.pi / 8), 0, math.cos(math.pi / 8)]


def box_model(width: float, height: float, depth: float, **node: Any) -> Builder:
    """A box of these sides, one corner at the origin, below one node; padded, so that it can get smaller."""
    builder = Builder()
    corners = np.array([(x, y, z) for x in (0, width) for y in (0, height) for z in (0, depth)], np.float32)
    faces = np.array(
        [
            *(0, 1, 3, 0, 3, 2, 4, 6, 7, 4, 7, 5, 0, 4, 5, 0, 5, 1),
            *(2, 3, 7, 2, 7, 6, 0, 2, 6, 0, 6, 4, 1, 5, 7, 1, 7, 3),
        ],
        np.uint16,
    )
    builder.data["meshes"][0]["primitives"] = [
        {"attributes": {"POSITION": builder.positions(corners)}, "indices": builder.accessor(faces)}
    ]
    builder.data["nodes"][0] |= node
    builder.view(bytes(PADDING))
    return builder


def placed(builder: Builder, size: RealSize, folder: Path) -> dict[str, Any]:
    (folder / "in.glb").write_bytes(builder.glb())
    return pipeline.optimize(folder / "in.glb", folder / "out.glb", size=size)


def vertices(path: Path) -> np.ndarray:
    """Every vertex of the default scene in the world, by the file alone; skins and morphs aside."""
    data, binary = unpack(path)
    found = []

    def walk(at: int, above: np.ndarray) -> None:
        node = data["nodes"][at]
        world = above @ local(node)
        for primitive in data["meshes"][node["mesh"]]["primitives"] if "mesh" in node else []:
            points = positions(data, binary, primitive)
            found.append(points @ world[:3, :3].T + world[:3, 3])
        for child in node.get("children", []):
            walk(child, world)

    for root in data["scenes"][data["scene"]]["nodes"]:
        walk(root, np.eye(4))
    return np.concatenate(found)


def local(node: dict[str, Any]) -> np.ndarray:
    if "matrix" in node:
        return np.array(node["matrix"]).reshape(4, 4, order="F")
    x, y, z, w = node.get("rotation", (0, 0, 0, 1))
    axis, turn = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]), np.eye(4)
    turn[:3, :3] = np.eye(3) + 2 * w * axis + 2 * axis @ axis
    shift = np.eye(4)
    shift[:3, 3] = node.get("translation", (0, 0, 0))
    return shift @ turn @ np.diag([*node.get("scale", (1, 1, 1)), 1])


def positions(data: dict[str, Any], binary: bytes, primitive: dict[str, Any]) -> np.ndarray:
    packed = primitive.get("extensions", {}).get(DRACO)
    if packed:
        view = data["bufferViews"][packed["bufferView"]]
        return np.asarray(DracoPy.decode(binary[view["byteOffset"] :][: view["byteLength"]]).points)
    accessor = data["accessors"][primitive["attributes"]["POSITION"]]
    start = data["bufferViews"][accessor["bufferView"]]["byteOffset"] + accessor.get("byteOffset", 0)
    return np.frombuffer(binary, np.float32, 3 * accessor["count"], start).reshape(-1, 3)


def assert_stands(path: Path, size_m: list[float], within: float = 2e-4) -> None:
    """The model has this size, stands on the ground and in the middle."""
    points = vertices(path)
    longest = within * max(size_m)
    assert np.ptp(points, axis=0) == pytest.approx(size_m, abs=2 * longest)
    assert points[:, 1].min() == pytest.approx(0, abs=longest)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    assert middle[[0, 2]] == pytest.approx([0, 0], abs=longest)


def moving_model() -> Builder:
    """A morph at half its weight, a skin whose mesh's own node must not count, both moved by an animation."""
    builder, mesh = Builder(), sphere(rings=12, radius=0.5)
    builder.data["meshes"] = [{"primitives": [], "weights": [0.5]}, {"primitives": []}]
    morphed = add_sphere(builder, mesh)
    morphed["targets"] = [{"POSITION": builder.positions(mesh["positions"] * [2, 0, 0])}]
    skinned = add_sphere(builder, mesh, mesh_number=1)
    above = (mesh["positions"][:, 1] > 0).astype(np.float32)
    count = len(above)
    skinned["attributes"] |= {
        "JOINTS_0": builder.accessor(np.tile(np.array([0, 1, 0, 0], np.uint8), (count, 1))),
        "WEIGHTS_0": builder.accessor(np.stack([1 - above, above, 0 * above, 0 * above], 1)),
    }
    inverse = np.tile(np.eye(4, dtype=np.float32), (2, 1, 1))
    inverse[1, 3, 1] = -0.25
    times = builder.accessor(np.array([0, 1], np.float32), min=[0], max=[1])
    turns = builder.accessor(np.array([[0, 0, 0, 1], [0, 0, HALF, HALF]], np.float32))
    shifts = builder.accessor(np.array([[1, 0, 0], [3, 1, 0]], np.float32))
    builder.data |= {
        "scenes": [{"nodes": [0, 1, 2]}],
        "nodes": [
            {"mesh": 0, "translation": [1, 0, 0]},
            {"mesh": 1, "skin": 0, "translation": [500, 500, 500], "scale": [9, 9, 9]},
            {"name": "hip", "children": [3], "translation": [-2, 1, 0], "scale": [2, 2, 2]},
            {"name": "knee", "translation": [0, 0.5, 0]},
        ],
        "skins": [{"joints": [2, 3], "inverseBindMatrices": builder.accessor(inverse.reshape(2, 16))}],
        "animations": [
            {
                "samplers": [{"input": times, "output": turns}, {"input": times, "output": shifts}],
                "channels": [
                    {"sampler": 0, "target": {"node": 3, "path": "rotation"}},
                    {"sampler": 1, "target": {"node": 0, "path": "translation"}},
                ],
            }
        ],
    }
    builder.view(bytes(PADDING))
    return builder

"""Skins: joints and weights hold every vertex as before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from acr3d.gltf import draco
from acr3d.gltf.model import Model
from acr3d.optimize import pipeline
from tests.support.optimize_glbs import (
    Builder,
    add_sphere,
    sphere,
    validator_errors,
)
from tests.support.optimized import DRACO, at_every_level, optimized


def bent_tube(weights: str = "float32", joints: str = "uint8") -> tuple[Builder, np.ndarray]:
    """A sphere whose vertices hang on four of six bones; every vertex's bones and shares (vertices, 6)."""
    builder, mesh = Builder(), sphere(rings=40)
    rng = np.random.default_rng(7)
    count = len(mesh["positions"])
    numbers = np.argsort(rng.random((count, 6)), axis=1)[:, :4].astype(joints)
    shares = rng.dirichlet([1, 1, 1, 0.2], count)
    if weights != "float32":
        one = np.iinfo(weights).max
        whole = np.floor(shares * one)
        whole[:, 0] += one - whole.sum(axis=1)
        shares = whole / one
    stored = shares.astype(np.float32) if weights == "float32" else whole.astype(weights)
    primitive = add_sphere(builder, mesh)
    primitive["attributes"] |= {
        "JOINTS_0": builder.accessor(numbers),
        "WEIGHTS_0": builder.accessor(stored, **({} if weights == "float32" else {"normalized": True})),
    }
    bones = list(range(2, 8))
    builder.data["nodes"] = [{"mesh": 0, "skin": 0}, {"children": bones}, *({} for _ in bones)]
    builder.data["scenes"][0]["nodes"] = [0, 1]
    builder.data["skins"] = [{"joints": bones}]
    full = np.zeros((count, 6))
    np.put_along_axis(full, numbers.astype(int), shares, axis=1)
    return builder, np.hstack([mesh["positions"], full])


@at_every_level
@pytest.mark.parametrize("weights", ["float32", "uint16", "uint8"])
@pytest.mark.parametrize("joints", ["uint8", "uint16"])
def test_bones_hold_every_vertex_of_a_stream_as_before(
    joints: str, weights: str, level: str, tmp_path: Path
) -> None:
    builder, before = bent_tube(weights, joints)

    report, data = optimized(builder, tmp_path, level)

    with Model(tmp_path / "out.glb") as model:
        [primitive] = data["meshes"][0]["primitives"]
        packed = primitive["extensions"][DRACO]
        mesh = draco.decode(model.view_bytes(packed["bufferView"]), "the stream")
    held = {name: mesh.attributes[at] for name, at in packed["attributes"].items()}
    told = data["accessors"][primitive["attributes"]["WEIGHTS_0"]]
    one = {"float32": 65535, "uint16": 65535, "uint8": 255}[weights]
    assert (told["componentType"], told["normalized"]) == ({65535: 5123, 255: 5121}[one], True)
    assert data["accessors"][primitive["attributes"]["JOINTS_0"]]["componentType"] == (
        5121 if joints == "uint8" else 5123
    )
    assert set(held["WEIGHTS_0"].sum(axis=1, dtype=int).tolist()) == {one}
    full = np.zeros((mesh.count, 6))
    for bone, share in zip(held["JOINTS_0"].T.astype(int), held["WEIGHTS_0"].T / one, strict=True):
        full[np.arange(mesh.count), bone] += share
    after = np.hstack([held["POSITION"], full])
    # Positions are in a grid of 6 µm; no weight is off by more than rounding and one sum's remainder.
    for some, others in ((before, after), (after, before)):
        away = np.abs(some[::17, None] - others[None]).max(axis=2).min(axis=1)
        assert away.max() < 3.1 / 65535
    assert report["triangles"] == report["triangles_in"]
    assert data["skins"] == builder.data["skins"]
    assert report["warnings"] == []


def test_weights_of_several_sets_make_one_together(tmp_path: Path) -> None:
    builder, _ = bent_tube()
    attributes = builder.data["meshes"][0]["primitives"][0]["attributes"]
    count = len(sphere(40)["positions"])
    eight = np.random.default_rng(8).dirichlet([1] * 8, count).astype(np.float32)
    for at in range(2):
        attributes[f"JOINTS_{at}"] = builder.accessor(np.tile(np.arange(4, dtype=np.uint8), (count, 1)))
        attributes[f"WEIGHTS_{at}"] = builder.accessor(eight[:, 4 * at : 4 * at + 4])

    _, data = optimized(builder, tmp_path)

    with Model(tmp_path / "out.glb") as model:
        packed = data["meshes"][0]["primitives"][0]["extensions"][DRACO]
        mesh = draco.decode(model.view_bytes(packed["bufferView"]), "the stream")
    sums = sum(
        mesh.attributes[packed["attributes"][f"WEIGHTS_{at}"]].sum(axis=1, dtype=int) for at in range(2)
    )
    assert set(sums.tolist()) == {65535}


def test_weights_that_do_not_sum_to_one_stay_the_floats_that_they_are(tmp_path: Path) -> None:
    builder, _ = bent_tube()
    attributes = builder.data["meshes"][0]["primitives"][0]["attributes"]
    odd = np.random.default_rng(9).random((len(sphere(40)["positions"]), 4)).astype(np.float32)
    attributes["WEIGHTS_0"] = builder.accessor(odd)

    _, data = optimized(builder, tmp_path)

    with Model(tmp_path / "out.glb") as model:
        packed = data["meshes"][0]["primitives"][0]["extensions"][DRACO]
        mesh = draco.decode(model.view_bytes(packed["bufferView"]), "the stream")
    held = mesh.attributes[packed["attributes"]["WEIGHTS_0"]]
    assert held.dtype == np.float32
    assert set(map(tuple, held.tolist())) == set(map(tuple, odd.tolist()))


def test_triangles_that_only_bones_open_are_not_given_to_draco(tmp_path: Path) -> None:
    """Two vertices at one place that different bones hold: Draco would take out the triangle between them."""
    builder, _ = bent_tube()
    mesh = sphere(rings=40)
    mesh["positions"][1] = mesh["positions"][0]
    primitive = builder.data["meshes"][0]["primitives"][0]
    primitive["attributes"]["POSITION"] = builder.positions(mesh["positions"])

    report, data = optimized(builder, tmp_path)

    assert report["triangles"] == report["triangles_in"]
    assert "extensions" not in data["meshes"][0]["primitives"][0]
    assert "has triangles that only its bones pull open" in " ".join(report["warnings"])


@pytest.mark.needs("node")
@pytest.mark.parametrize("weights", ["float32", "uint8"])
def test_the_khronos_validator_finds_no_error_in_what_bones_move(weights: str, tmp_path: Path) -> None:
    """The file for AR is made of the packed one, so that its weights are those of the stream, plain."""
    (tmp_path / "in.glb").write_bytes(bent_tube(weights)[0].glb())
    pipeline.optimize(tmp_path / "in.glb", tmp_path / "packed.glb")

    report = pipeline.optimize(tmp_path / "packed.glb", tmp_path / "again.glb", ar=tmp_path / "ar.glb")

    assert "left_out" not in report["ar"]
    assert validator_errors([tmp_path / "packed.glb", tmp_path / "ar.glb"]) == []

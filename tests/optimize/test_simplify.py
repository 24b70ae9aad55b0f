"""Fewer triangles, when asked for: the shape, the seams and what moves stay what they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acr3d.gltf.accessors import read_accessor
from acr3d.gltf.model import Model
from acr3d.gltf.write import write_glb
from acr3d.optimize import edge_collapse, meshoptimizer
from acr3d.optimize.primitive_groups import editable_groups, read_faces
from acr3d.optimize.steps import simplify
from acr3d.optimize.steps.simplify import SimplifyResult
from acr3d.optimize.surface_distance import Surface
from tests.support.optimize_glbs import Builder, add_sphere, rich_model, sphere


@pytest.fixture(
    autouse=True, params=["ours", pytest.param("meshopt", marks=pytest.mark.needs("meshopt"))], ids=str
)
def simplifier(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs with our own simplifier and with meshoptimizer's."""
    chosen = {"ours": edge_collapse.simplify, "meshopt": meshoptimizer.simplify}[request.param]
    monkeypatch.setattr(simplify, "default_simplifier", lambda: chosen)


def simplified(builder: Builder, most: int, folder: Path) -> tuple[SimplifyResult, list[dict[str, Any]]]:
    """What the step says, and every primitive's faces and attributes afterwards."""
    (folder / "in.glb").write_bytes(builder.glb())
    with Model(folder / "in.glb") as model:
        result = simplify.simplify(model, most)
        write_glb(model, folder / "out.glb")
    with Model(folder / "out.glb") as model:
        return result, [
            {name: read_accessor(model, at) for name, at in group.attributes.items()}
            | {"faces": read_faces(model, group), "targets": group.targets}
            for group in editable_groups(model)[0]
        ]


def test_a_sphere_keeps_its_shape_and_its_size(tmp_path: Path) -> None:
    builder = Builder()
    add_sphere(builder, sphere(rings=80))

    result, [part] = simplified(builder, 3000, tmp_path)

    assert len(part["faces"]) <= 3000
    assert result.removed == 25122 - len(part["faces"])
    assert result.left_alone == []
    positions = part["POSITION"].astype(float)
    corners = positions[part["faces"]]
    middles = corners.mean(axis=1)
    assert np.linalg.norm(middles, axis=1).min() > 0.05 * 0.99
    np.testing.assert_array_equal(np.ptp(positions, axis=0), np.ptp(sphere(80)["positions"], axis=0))
    facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.einsum("ij,ij->i", facing, middles) < 0).all() or (
        np.einsum("ij,ij->i", facing, middles) > 0
    ).all()
    assert np.linalg.norm(part["NORMAL"], axis=1) == pytest.approx(1, abs=1e-5)


def test_the_seam_of_the_texture_stays_closed_and_in_its_place(tmp_path: Path) -> None:
    builder, mesh = Builder(), sphere(rings=60)
    first, last = mesh["uv"][:, 0] == 0, mesh["uv"][:, 0] == 1
    mesh["positions"][last] = mesh["positions"][first]
    add_sphere(builder, mesh)

    _, [part] = simplified(builder, 1500, tmp_path)

    uv = part["TEXCOORD_0"]
    for u in (0, 1):  # no triangle reaches across the seam
        assert (uv[:, 0] == u).sum() > 3
    assert np.ptp(uv[part["faces"]][..., 0], axis=1).max() < 0.5
    places = {u: {tuple(p) for p in np.round(part["POSITION"][uv[:, 0] == u], 6).tolist()} for u in (0, 1)}
    assert places[0] == places[1]


def test_bones_and_morph_targets_keep_the_very_values_of_the_vertices_that_stay(tmp_path: Path) -> None:
    builder = rich_model(rings=40)
    source = {tuple(p) for p in sphere(40)["positions"].tolist()}

    result, parts = simplified(builder, 8000, tmp_path)

    assert sum(len(part["faces"]) for part in parts) <= 8000
    _, morphed, skinned = parts
    assert {tuple(p) for p in morphed["POSITION"].tolist()} <= source
    assert set(map(tuple, skinned["WEIGHTS_0"].tolist())) == {(1, 0, 0, 0)}
    with Model(tmp_path / "out.glb") as model:
        offsets = read_accessor(model, morphed["targets"][0]["POSITION"])
    np.testing.assert_allclose(offsets, morphed["POSITION"] * 0.1, rtol=1e-6)
    assert result.left_alone == []


def test_parts_are_reduced_in_proportion(tmp_path: Path) -> None:
    builder = Builder()
    for rings in (40, 60, 80):
        add_sphere(builder, sphere(rings))

    _, parts = simplified(builder, 24_000, tmp_path)

    was = [2 * (rings - 1) * (2 * rings - 1) for rings in (40, 60, 80)]
    now = [len(part["faces"]) for part in parts]
    shares = [after / before for before, after in zip(was, now, strict=True)]
    assert sum(now) <= 24_000
    assert max(shares) - min(shares) < 0.03


def test_few_triangles_stay_as_they_are(tmp_path: Path) -> None:
    builder = Builder()
    add_sphere(builder)

    result, [part] = simplified(builder, 30_000, tmp_path)

    assert result == SimplifyResult()
    assert len(part["faces"]) == 2162


def test_a_ring_of_loose_faces_keeps_its_shape_even_above_the_limit(tmp_path: Path) -> None:
    builder, mesh = Builder(), sphere(rings=30)
    corners = mesh["faces"].ravel()
    # No two faces share a vertex, so nothing may collapse without opening a hole.
    loose = {name: mesh[name][corners] for name in ("positions", "normals", "uv")}
    apart = np.repeat(np.random.default_rng(0).normal(0, 0.002, (len(corners) // 3, 3)), 3, axis=0)
    loose["positions"] = (loose["positions"] + apart).astype(np.float32)
    add_sphere(builder, loose | {"faces": np.arange(len(corners), dtype=np.uint32).reshape(-1, 3)})

    result, [part] = simplified(builder, len(corners) // 12, tmp_path)

    before = Surface(loose["positions"], np.arange(len(corners), dtype=np.uint32).reshape(-1, 3))
    middles = part["POSITION"].astype(float)[part["faces"]].mean(axis=1)
    assert before.distances(middles).max() <= 0.005 * 0.1
    assert f"below {len(part['faces'])} triangles" in result.left_alone[-1]


def test_spokes_stay_apart_and_what_can_give_gives(tmp_path: Path) -> None:
    builder = Builder()
    add_sphere(builder, sphere(rings=60, radius=0.3))
    for at in np.linspace(-0.3, 0.3, 12):
        spoke = sphere(rings=12, radius=0.004)
        spoke["positions"] = (spoke["positions"] * (1, 100, 1) + (at, 0, 0)).astype(np.float32)
        add_sphere(builder, spoke)

    result, parts = simplified(builder, 4000, tmp_path)

    assert result.removed > 10_000
    for part in parts[1:]:
        assert np.ptp(part["POSITION"][:, 0]) == pytest.approx(0.008, rel=0.1)
        assert len(part["faces"]) >= 12

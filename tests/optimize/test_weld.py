"""Weld and clean: less to store, and nothing that anybody could see is different."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from acr3d.gltf.accessors import read_accessor
from acr3d.gltf.model import Model
from acr3d.gltf.write import write_glb
from acr3d.optimize import pipeline, unique_rows
from acr3d.optimize.primitive_groups import editable_groups, read_faces
from acr3d.optimize.steps.weld import WeldResult, weld
from tests.support.optimize_glbs import (
    Builder,
    add_sphere,
    rich_model,
    sphere,
    textured_sphere,
    validator_errors,
)


def soup(mesh: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same surface with three vertices of its own to every triangle."""
    corners = mesh["faces"].ravel()
    parts = {name: mesh[name][corners] for name in ("positions", "normals", "uv")}
    return parts | {"faces": np.arange(len(corners), dtype=np.uint32).reshape(-1, 3)}


def corners(path: Path, name: str = "POSITION") -> np.ndarray:
    """The values at the corners of every triangle, in order."""
    with Model(path) as model:
        [group] = editable_groups(model)[0]
        return read_accessor(model, group.attributes[name])[read_faces(model, group)]


def cleaned(builder: Builder, folder: Path) -> tuple[WeldResult, Path, Path]:
    before, after = folder / "in.glb", folder / "out.glb"
    before.write_bytes(builder.glb())
    with Model(before) as model:
        result = weld(model)
        write_glb(model, after)
    return result, before, after


def test_a_soup_of_triangles_is_welded_and_every_corner_stays(tmp_path: Path) -> None:
    builder, mesh = Builder(), sphere()
    add_sphere(builder, soup(mesh))

    result, before, after = cleaned(builder, tmp_path)

    assert result.vertices == 3 * len(mesh["faces"]) - len(mesh["positions"])
    assert result.bytes_after < result.bytes_before / 2
    for name in ("POSITION", "NORMAL", "TEXCOORD_0"):
        np.testing.assert_array_equal(corners(before, name), corners(after, name))


def test_a_seam_is_no_duplicate(tmp_path: Path) -> None:
    builder, mesh = Builder(), sphere()
    add_sphere(builder, mesh)

    result, _, _ = cleaned(builder, tmp_path)

    # The first and the last column stand at the same places, with other texture coordinates.
    assert (result.vertices, result.degenerate) == (0, 0)


def test_unused_vertices_and_triangles_without_area_go(tmp_path: Path) -> None:
    builder, mesh = Builder(), sphere()
    mesh["positions"] = np.concatenate([mesh["positions"], [[9, 9, 9]]]).astype(np.float32)
    mesh["normals"] = np.concatenate([mesh["normals"], [[0, 1, 0]]]).astype(np.float32)
    mesh["uv"] = np.concatenate([mesh["uv"], [[0, 0]]]).astype(np.float32)
    whole = mesh["faces"]
    mesh["faces"] = np.concatenate([whole[:50], [[5, 5, 7], [8, 9, 8]], whole[50:]]).astype(np.uint32)
    add_sphere(builder, mesh)

    result, _, after = cleaned(builder, tmp_path)

    assert (result.vertices, result.degenerate) == (1, 2)
    np.testing.assert_array_equal(corners(after), mesh["positions"][whole])
    with Model(after) as model:
        number = model.json["meshes"][0]["primitives"][0]["attributes"]["POSITION"]
        accessor = model.json["accessors"][number]
        assert max(accessor["max"]) < 1
        assert accessor["count"] == len(mesh["positions"]) - 1


def test_vertices_that_only_rest_at_the_same_place_stay_apart(tmp_path: Path) -> None:
    """A mouth that is closed at rest: its lips are one place until a morph target opens it."""
    builder, mesh = Builder(), sphere()
    mesh["faces"] = np.concatenate([mesh["faces"], [[0, 1, 2]]]).astype(np.uint32)
    for name in ("positions", "normals", "uv"):
        mesh[name][1] = mesh[name][0]
    offsets = np.zeros_like(mesh["positions"])
    offsets[1] = (0, 1, 0)
    primitive = add_sphere(builder, mesh)
    primitive["targets"] = [{"POSITION": builder.positions(offsets)}]

    result, _, _ = cleaned(builder, tmp_path)

    assert (result.vertices, result.degenerate) == (0, 0)


@pytest.mark.parametrize("what", ["shared", "unknown extension"])
def test_what_may_be_used_elsewhere_is_left_alone(what: str, tmp_path: Path) -> None:
    builder = Builder()
    primitive = add_sphere(builder, soup(sphere()))
    if what == "shared":
        half = builder.accessor(np.arange(300, dtype=np.uint32))
        builder.data["meshes"][0]["primitives"].append(primitive | {"indices": half})
    else:
        builder.data["extensionsUsed"] = ["ACME_points_anywhere"]

    result, _, _ = cleaned(builder, tmp_path)

    assert result.vertices == 0


def test_small_numbers_stay_aligned(tmp_path: Path) -> None:
    builder = rich_model()
    colours = np.tile(np.array([[10, 20, 30]], np.uint8), (len(sphere(12)["positions"]), 1))
    padded = builder.view(np.pad(colours, ((0, 0), (0, 1))).tobytes(), byteStride=4)
    builder.data["accessors"].append(
        {
            "bufferView": padded,
            "componentType": 5121,
            "normalized": True,
            "count": len(colours),
            "type": "VEC3",
        }
    )
    primitive = builder.data["meshes"][0]["primitives"][0]
    primitive["attributes"]["COLOR_0"] = len(builder.data["accessors"]) - 1
    faces = sphere(12)["faces"][:-3]
    primitive["indices"] = builder.accessor(faces.ravel())

    result, _, after = cleaned(builder, tmp_path)

    assert result.vertices > 0
    with Model(after) as model:
        number = model.json["meshes"][0]["primitives"][0]["attributes"]["COLOR_0"]
        view = model.json["accessors"][number]["bufferView"]
        assert model.json["bufferViews"][view]["byteStride"] == 4
        assert set(map(tuple, read_accessor(model, number).tolist())) == {(10, 20, 30)}


@pytest.mark.parametrize("width", [1, 6, 8, 31])
@pytest.mark.parametrize("is_forged", [False, True])
def test_equal_rows_are_found_though_a_file_may_make_their_numbers_alike(
    width: int, is_forged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_forged:
        monkeypatch.setattr(unique_rows, "_hashed", lambda words: words[:, 0] & np.uint64(1))
    rows = np.random.default_rng(width).integers(0, 3, (500, width), dtype=np.uint8)
    rows[250:300] = rows[:50]

    first, which = unique_rows.unique_rows(rows)

    np.testing.assert_array_equal(rows[first[which]], rows)
    assert len(first) == len({row.tobytes() for row in rows})
    for number, at in enumerate(first):
        assert at == np.flatnonzero(which == number)[0]


def sparse_morphs(targets: int) -> tuple[Builder, list[np.ndarray]]:
    """A soup of triangles with morph targets of which each moves thirty places; what each moves, in full."""
    builder, mesh = Builder(), soup(sphere(rings=30))
    primitive = add_sphere(builder, mesh)
    primitive["targets"], full = [], []
    rng = np.random.default_rng(11)
    for _ in range(targets):
        places = sphere(rings=30)["positions"][rng.choice(1800, 30, replace=False)]
        is_moved = (mesh["positions"][:, None] == places[None]).all(axis=2).any(axis=1)
        offsets = np.where(is_moved[:, None], np.float32([0, 0.01, 0]), np.float32(0))
        rows = np.flatnonzero(is_moved).astype(np.uint16)
        indices, values = builder.view(rows.tobytes()), builder.view(offsets[rows].tobytes())
        builder.data["accessors"].append(
            {
                "componentType": 5126,
                "type": "VEC3",
                "count": len(offsets),
                "min": [0, 0, 0],
                "max": [0, 0.01, 0],
                "sparse": {
                    "count": len(rows),
                    "indices": {"bufferView": indices, "componentType": 5123},
                    "values": {"bufferView": values},
                },
            }
        )
        primitive["targets"].append({"POSITION": len(builder.data["accessors"]) - 1})
        full.append(offsets)
    return builder, full


@pytest.mark.needs("node")
def test_sparse_morph_targets_stay_sparse_and_the_same(tmp_path: Path) -> None:
    builder, full = sparse_morphs(8)

    result, before, after = cleaned(builder, tmp_path)

    assert result.vertices > 8000
    assert result.bytes_after < 0.4 * result.bytes_before
    assert after.stat().st_size < 0.4 * before.stat().st_size
    with Model(after) as model:
        [group] = editable_groups(model)[0]
        faces = read_faces(model, group)
        for target, offsets in zip(group.targets, full, strict=True):
            accessor = model.json["accessors"][target["POSITION"]]
            assert "bufferView" not in accessor
            np.testing.assert_array_equal(
                read_accessor(model, target["POSITION"])[faces], offsets.reshape(-1, 3, 3)
            )
    assert validator_errors([after]) == []


@pytest.mark.needs("node")
@pytest.mark.parametrize("layout", ["interleaved", "side by side"])
def test_what_is_left_of_a_view_is_all_that_is_kept(layout: str, tmp_path: Path) -> None:
    """One view for two spheres, of which only the one that morphs stays plain."""
    builder, mesh = textured_sphere(), sphere(rings=30)
    builder.data["meshes"][0]["primitives"] = []
    builder.data["meshes"].append({"primitives": []})
    builder.data["nodes"].append({"mesh": 1})
    builder.data["scenes"][0]["nodes"].append(1)
    parts = [add_sphere(builder, mesh, mesh_number=at) for at in range(2)]
    names = ("POSITION", "NORMAL", "TEXCOORD_0")
    arrays = [mesh["positions"], mesh["normals"], mesh["uv"]] * 2
    if layout == "interleaved":
        content = np.hstack(arrays).astype(np.float32)
        view, offsets = builder.view(content.tobytes(), byteStride=64), [0, 12, 24, 32, 44, 56]
    else:
        padded = [np.pad(array, ((0, 0), (0, 3 - array.shape[1]))) for array in arrays]
        view = builder.view(b"".join(array.tobytes() for array in padded), byteStride=12)
        offsets = [at * 12 * len(mesh["positions"]) for at in range(6)]
    for at, offset in enumerate(offsets):
        number = parts[at // 3]["attributes"][names[at % 3]]
        builder.data["accessors"][number] |= {"bufferView": view, "byteOffset": offset}
    parts[1]["targets"] = [{"POSITION": builder.positions(mesh["positions"] * 0.1)}]
    (tmp_path / "in.glb").write_bytes(builder.glb())

    report = pipeline.optimize(tmp_path / "in.glb", tmp_path / "out.glb")

    plain = 1800 * (32 + 12) + 3 * 4 * len(mesh["faces"])
    assert report["bytes_out"] < plain + 30_000
    with Model(tmp_path / "out.glb") as model:
        attributes = model.json["meshes"][1]["primitives"][0]["attributes"]
        for name, array in zip(names, arrays, strict=False):
            np.testing.assert_array_equal(read_accessor(model, attributes[name]), array)
    assert validator_errors([tmp_path / "out.glb"]) == []

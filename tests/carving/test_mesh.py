"""A carved mesh is clean: closed, oriented, without slivers, with flat faces and without overlapping UVs."""

import numpy as np
import pytest
import trimesh
from skimage.measure import marching_cubes

from acr3d.carving import uv_atlas
from acr3d.carving.edge_collapse import simplify
from acr3d.carving.edge_flips import flip_edges
from acr3d.carving.errors import CarvingError
from acr3d.carving.plane_fit import flatten_faces
from acr3d.carving.texel_raster import covered_texels
from acr3d.carving.visual_hull import TriangleMesh
from tests.support.carvings import GRID, box, carved, photograph, random_shape, solid


def surface_of(shape, cells):
    """The surface of a shape, as marching cubes takes it from samples, from -1 to 1."""
    steps = np.linspace(-1, 1, cells)
    inside = shape(np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1))
    vertices, triangles, _, _ = marching_cubes(inside.astype(np.float32), 0.37, gradient_direction="ascent")
    return TriangleMesh((vertices * 2 / (cells - 1) - 1).astype(np.float32), triangles.astype(np.int32))


def as_trimesh(mesh):
    return trimesh.Trimesh(mesh.vertices, mesh.triangles, process=False)


def sharpest_angles(mesh):
    """The least angle of each triangle, in degrees."""
    return np.degrees(mesh.face_angles.min(1))


@pytest.fixture(scope="module")
def fine():
    """A random shape's surface with as many triangles as the engine's own grid gives."""
    return surface_of(random_shape(2), 160)


@pytest.fixture(scope="module")
def simplified(fine):
    return flip_edges(simplify(fine, 20_000))


def test_a_simplified_mesh_is_closed_oriented_and_has_no_more_triangles_than_asked_for(simplified):
    mesh = as_trimesh(simplified)

    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.volume > 0
    assert 18_000 < len(mesh.faces) <= 20_000


def test_a_simplified_mesh_has_next_to_no_slivers(simplified):
    angles = sharpest_angles(as_trimesh(simplified))

    assert angles.min() > 1
    assert (angles < 5).mean() < 0.005


def test_the_simplified_mesh_has_the_shapes_volume(fine, simplified):
    assert as_trimesh(simplified).volume == pytest.approx(as_trimesh(fine).volume, rel=0.01)


def test_a_wavy_faces_vertices_move_into_its_plane_and_none_moves_far():
    mesh = surface_of(box((0.8, 0.5, 0.6)), 80)
    waves = 0.003 * np.sin(9 * mesh.vertices[:, [1]]) * np.array([0, 0, 1])
    wavy = TriangleMesh((mesh.vertices + waves).astype(np.float32), mesh.triangles)

    flat = flatten_faces(wavy)

    assert np.abs(flat.vertices - wavy.vertices).max() <= 0.003 * 1.7
    assert as_trimesh(flat).is_watertight
    assert np.ptp(flat.vertices[top_of(flat)][:, 2]) < 1e-6 < np.ptp(wavy.vertices[top_of(wavy)][:, 2])


def top_of(mesh):
    """The vertices of the triangles that look along the depth, away from the rims."""
    looks = as_trimesh(mesh).face_normals[:, 2] > 0.97
    return np.unique(mesh.triangles[looks])


def test_a_round_parts_crown_is_not_flattened():
    mesh = surface_of(lambda points: np.linalg.norm(points, axis=-1) < 0.8, 60)

    assert np.array_equal(flatten_faces(mesh).vertices, mesh.vertices)


def test_a_carved_boxs_faces_are_flat(tmp_path):
    shape = box((0.8, 0.5, 0.6))
    sides = ("front", "right", "top", "back")
    photos = [photograph(shape, side, tmp_path / f"{side}.png", distance=12) for side in sides]

    _, out = carved(tmp_path, photos, should_texture=False)

    mesh = solid(out)
    assert sharpest_angles(mesh).min() > 1
    for axis in range(3):
        for sign in (1, -1):
            face = mesh.vertices[np.unique(mesh.faces[sign * mesh.face_normals[:, axis] > 0.97])][:, axis]
            assert np.ptp(np.percentile(face, [2, 98])) < 0.5 / GRID


def test_no_uvs_overlap_on_the_engines_own_grid(simplified):
    atlas = uv_atlas.unwrap(simplified, 400)

    taken = np.zeros(atlas.side**2, int)
    for texel, _ in covered_texels(atlas.corners, atlas.side, shrink=0.01):
        np.add.at(taken, texel, 1)
    assert taken.max() == 1
    assert atlas.corners.min() >= 0
    assert atlas.corners.max() <= atlas.side


def test_charts_that_do_not_fit_get_the_next_larger_atlas(monkeypatch, simplified):
    monkeypatch.setattr(uv_atlas, "_ATLAS_SIZES", (16, 1024))

    assert uv_atlas.unwrap(simplified, 1).side == 1024


def test_charts_that_fit_into_no_atlas_are_refused(monkeypatch, simplified):
    monkeypatch.setattr(uv_atlas, "_ATLAS_SIZES", (16,))

    with pytest.raises(CarvingError, match="fewer triangles") as caught:
        uv_atlas.unwrap(simplified, 400)
    assert caught.value.code == "too_many_pieces"

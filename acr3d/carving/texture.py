"""Texture projection: one colour per texel of the atlas, from the photos that see it.

The photo that faces a texel best counts by far the most, and the others blend the seams. Exposures are
equalized first. Texels that no photo sees are filled by diffusing the colours around them over the surface.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.sparse.linalg import spsolve

from acr3d.carving.cameras import Points
from acr3d.carving.exposure import exposure_gains
from acr3d.carving.morphology import dilated, eroded
from acr3d.carving.silhouette import Silhouette
from acr3d.carving.texel_raster import barycentric_terms, covered_texels, interpolate
from acr3d.carving.uv_atlas import Atlas
from acr3d.carving.vertex_split import corner_normals
from acr3d.carving.visual_hull import TriangleMesh

Floats = NDArray[np.float32]

_DEPTH_RESOLUTION = 320  # depth buffer cells per unit of length
_DEPTH_TOLERANCE = 0.012  # units behind the foremost surface that still count as visible
_FACING_POWER = 6  # of the cosine: with a high power the best view wins, with a low one views blend
_MIN_FACING = 0.05  # cosine; a photo that sees the surface at a grazing angle does not show its colour
_MIN_COMPARED_FACING = 0.4  # cosine from which brightness is comparable between photos
_COMPARED_TEXELS = 60_000  # spread over the atlas, for the comparison of exposures
_MIN_WEIGHT = 0.02  # total weight from which a texel counts as seen
_RIM_WIDTH = 2  # mask pixels along the contour whose colour is mixed with the backdrop's
_BATCH_SIZE = 80_000  # texels per batch, to limit memory


class PhotoCamera(Protocol):
    """A camera in front of a part of size 1, for example cameras.PinholeCamera."""

    @property
    def zoom(self) -> float:
        """Pixels per unit of length at the part's centre."""

    def project(self, points: Points) -> tuple[Points, Points, Points]:
        """(column, row, depth) of (n, 3) points: pixels, pixels, and units of length towards the camera."""

    def view_directions(self, points: Points) -> Points:
        """Unit vectors from (n, 3) points to the camera."""


@dataclass(frozen=True)
class ProjectedTexture:
    """`pixels`: (side, side, 3) uint8; `seen_share`: share of the texels that some photo shows."""

    pixels: NDArray[np.uint8]
    seen_share: float


@dataclass(frozen=True)
class _Texels:
    """The texels that charts cover: each one's number in the atlas and its triangle."""

    number: NDArray[np.int32]
    face: NDArray[np.int32]


def project_photos(
    mesh: TriangleMesh, atlas: Atlas, silhouettes: Sequence[Silhouette], cameras: Sequence[PhotoCamera]
) -> ProjectedTexture:
    """Colour the atlas from the photos."""
    texels = _covered_texels(atlas)
    points = _texel_positions(mesh, atlas, texels)
    normals = _smooth_normals(mesh)
    views = [
        _PhotoProjection(silhouette, camera, points)
        for silhouette, camera in zip(silhouettes, cameras, strict=True)
    ]
    evened = _exposure_gains(views, points, normals, texels)
    colours = np.zeros((len(texels.number), 3), np.float32)
    total = np.zeros(len(texels.number), np.float32)
    for part in _batches(len(total)):
        for view, gain in zip(views, evened, strict=True):
            which, facing, sampled = view.sample(points[part], normals[texels.face[part]])
            weight = facing**_FACING_POWER
            total[part.start + which] += weight
            colours[part.start + which] += weight[:, None] * sampled * gain
    del points, views  # the largest arrays, and memory is short
    seen = total > _MIN_WEIGHT
    colours /= np.maximum(total, 1e-6)[:, None]
    _fill_unseen(mesh, atlas, texels, colours, seen)
    return ProjectedTexture(_fill_gutters(texels, colours, atlas.side), float(seen.mean()))


def _smooth_normals(mesh: TriangleMesh) -> Floats:
    """(m, 3) normals per triangle, smoothed with its neighbours on the same side of any crease."""
    corners = corner_normals(mesh.vertices.astype(np.float64), mesh.triangles.astype(np.int64))
    means = corners.mean(1)
    unit: Floats = (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)
    return unit


def _exposure_gains(
    views: list[_PhotoProjection], points: Floats, normals: Floats, texels: _Texels
) -> Floats:
    chosen = slice(None, None, max(1, len(points) // _COMPARED_TEXELS))
    places, directions = points[chosen], normals[texels.face[chosen]]
    colours = np.zeros((len(views), len(places), 3), np.float32)
    well_seen = np.zeros(colours.shape[:2], bool)
    for number, view in enumerate(views):
        which, facing, sampled = view.sample(places, directions)
        colours[number, which] = sampled
        well_seen[number, which] = facing > _MIN_COMPARED_FACING
    return exposure_gains(colours, well_seen)


def _covered_texels(atlas: Atlas) -> _Texels:
    owner = np.full(atlas.side**2, -1, np.int32)
    for place, face in covered_texels(atlas.corners, atlas.side):
        owner[place] = face
    number = np.flatnonzero(owner >= 0)
    return _Texels(number.astype(np.int32), owner[number])


def _texel_positions(mesh: TriangleMesh, atlas: Atlas, texels: _Texels) -> Floats:
    """(k, 3) positions of the texels in space."""
    points = np.empty((len(texels.number), 3), np.float32)
    terms = barycentric_terms(atlas.corners) @ mesh.vertices[mesh.triangles]
    for part in _batches(len(points)):
        points[part] = _interpolate_at_texels(terms[texels.face[part]], texels.number[part], atlas.side)
    return points


def _batches(count: int) -> list[slice]:
    return [slice(start, start + _BATCH_SIZE) for start in range(0, count, _BATCH_SIZE)]


def _interpolate_at_texels(
    terms: NDArray[np.float64], number: NDArray[np.int32], side: int
) -> NDArray[np.float64]:
    """(k, 3) values at the texels' centres, from their triangles' barycentric terms."""
    row, column = np.divmod(number, side)
    return interpolate(terms, column + 0.5, row + 0.5)


class _PhotoProjection:
    """One photo, projected through its camera onto the surface."""

    def __init__(self, silhouette: Silhouette, camera: PhotoCamera, points: Floats) -> None:
        left, top, right, bottom = silhouette.box
        self.corner = np.array([top, left], np.float32)
        self.pixels = _extend_over_backdrop(
            silhouette.pixels[top:bottom, left:right], silhouette.mask[top:bottom, left:right]
        )
        self.camera = camera
        self.depth_buffer = _DepthBuffer(points, camera, silhouette.mask.shape)

    def sample(self, points: Floats, normals: Floats) -> tuple[NDArray[np.int64], Floats, Floats]:
        """(indices of the points that the photo shows, cosines of their viewing angles, their colours)."""
        facing = np.einsum("ij,ij->i", normals, self.camera.view_directions(points))
        turned = np.flatnonzero(facing > _MIN_FACING)
        column, row, towards = self.camera.project(points[turned])
        seen = self.depth_buffer.is_visible(column, row, towards, facing[turned])
        places = np.stack([row[seen], column[seen]]) - self.corner[:, None]
        colours = [
            ndimage.map_coordinates(
                self.pixels[..., channel], places, np.float32, order=1, mode="nearest", prefilter=False
            )
            for channel in range(3)
        ]
        which = turned[seen]
        return which, facing[which], np.stack(colours, -1)


def _extend_over_backdrop(picture: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The photo with the part's colours extended over its rim and the backdrop."""
    core = eroded(mask, _RIM_WIDTH) | (mask & ~_wide_areas(mask))
    nearest = ndimage.distance_transform_edt(~core, return_distances=False, return_indices=True)
    carried: NDArray[np.uint8] = picture[nearest[0], nearest[1]]
    return carried


def _wide_areas(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask without the areas thinner than two rims."""
    return dilated(eroded(mask, _RIM_WIDTH), 2 * _RIM_WIDTH)


class _DepthBuffer:
    """For one camera, the depth of the foremost surface in each cell of a coarse picture."""

    def __init__(self, points: Floats, camera: PhotoCamera, shape: tuple[int, ...]) -> None:
        self.cell = camera.zoom / _DEPTH_RESOLUTION
        self.rows, self.columns = (int(size / self.cell) + 1 for size in shape[:2])
        self.nearest: Floats = np.full(self.rows * self.columns, -np.inf, np.float32)
        for part in _batches(len(points)):
            column, row, towards = camera.project(points[part])
            np.maximum.at(self.nearest, self._cells(column, row), towards)
        picture = self.nearest.reshape(self.rows, self.columns)
        # In the photo, what lies right behind a rim is mixed with the rim's colour: it counts as hidden.
        self.nearest = ndimage.maximum_filter(picture, 3).ravel()

    def is_visible(self, column: Floats, row: Floats, towards: Floats, facing: Floats) -> NDArray[np.bool_]:
        """Whether nothing lies in front of these points or right next to their line of sight."""
        slope = np.sqrt(1 - np.minimum(facing, 1) ** 2) / facing
        behind = self.nearest[self._cells(column, row)] - towards
        seen: NDArray[np.bool_] = behind < _DEPTH_TOLERANCE + slope / _DEPTH_RESOLUTION
        return seen

    def _cells(self, column: Floats, row: Floats) -> NDArray[np.int32]:
        across = np.clip(column / self.cell, 0, self.columns - 1).astype(np.int32)
        down = np.clip(row / self.cell, 0, self.rows - 1).astype(np.int32)
        cells: NDArray[np.int32] = down * self.columns + across
        return cells


def _fill_unseen(
    mesh: TriangleMesh, atlas: Atlas, texels: _Texels, colours: Floats, seen: NDArray[np.bool_]
) -> None:
    """Fill unseen texels with the colours around them, diffused over the surface."""
    if seen.all() or not seen.any():
        return
    at_vertices = _vertex_colours(mesh, texels, colours, seen)
    unseen = np.flatnonzero(~seen)
    terms = barycentric_terms(atlas.corners) @ at_vertices[mesh.triangles]
    for part in _batches(len(unseen)):
        number, face = texels.number[unseen[part]], texels.face[unseen[part]]
        colours[unseen[part]] = _interpolate_at_texels(terms[face], number, atlas.side)


def _vertex_colours(mesh: TriangleMesh, texels: _Texels, colours: Floats, seen: NDArray[np.bool_]) -> Floats:
    """(n, 3) vertex colours: the mean of adjacent seen texels, interpolated harmonically elsewhere."""
    count, faces = len(mesh.vertices), len(mesh.triangles)
    face = texels.face[seen]
    per_face = np.column_stack(
        [np.bincount(face, minlength=faces)]
        + [np.bincount(face, colours[seen, channel], faces) for channel in range(3)]
    )
    corner = mesh.triangles.reshape(-1)
    per_corner = np.repeat(per_face, 3, axis=0)
    weight, *channels = (np.bincount(corner, per_corner[:, entry], count) for entry in range(4))
    sums = np.column_stack(channels)
    known = weight > 0
    links = mesh.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    graph: sparse.csr_array = sparse.coo_array(
        (np.ones(len(links)), (links[:, 0], links[:, 1])), shape=(count, count)
    ).tocsr()
    pull = 1e-6  # towards the mean colour, for pieces without any seen vertex
    usual = sums.sum(0) / weight.sum()
    hold = np.where(known, 1e3, pull)
    system: sparse.csr_array = sparse.diags_array(np.asarray(graph.sum(1)).ravel() + hold) - graph
    target = hold[:, None] * np.where(known[:, None], sums / np.maximum(weight, 1)[:, None], usual)
    solved = spsolve(sparse.csc_array(system), target)
    return solved.astype(np.float32)


def _fill_gutters(texels: _Texels, colours: Floats, side: int) -> NDArray[np.uint8]:
    """The atlas as an image, with colours extended between the charts so that mipmaps show no seams."""
    pixels = np.zeros((side * side, 3), np.uint8)
    pixels[texels.number] = np.clip(colours + 0.5, 0, 255).astype(np.uint8)
    filled = np.zeros(side * side, bool)
    filled[texels.number] = True
    empty = ~filled.reshape(side, side)
    nearest = ndimage.distance_transform_edt(empty, return_distances=False, return_indices=True)
    spread: NDArray[np.uint8] = pixels.reshape(side, side, 3)[nearest[0], nearest[1]]
    return spread

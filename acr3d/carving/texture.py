"""Projecting the photos onto the surface: one colour per texel of the atlas.

Each texel takes the photos that see it, the one that faces it best counting by far the most, which blends the
seams; the photos' exposures are evened first. What no photo sees is filled from the colours around it, spread
over the surface.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.sparse.linalg import spsolve

from acr3d.carving.cameras import Camera
from acr3d.carving.exposure import gains
from acr3d.carving.morphology import grown, shrunk
from acr3d.carving.silhouette import Outline
from acr3d.carving.texel_raster import barycentric, between, covered_texels
from acr3d.carving.uv_atlas import Atlas
from acr3d.carving.vertex_split import corner_normals
from acr3d.carving.visual_hull import Mesh

Floats = NDArray[np.float32]

_DEPTH_CELLS = 320  # per unit of length, in the pictures of what lies in front
_BEHIND = 0.012  # units: how far behind the foremost surface still counts as seen
_SHARPNESS = 6  # the power of the facing: high lets the best view win, low blends
_LEAST_FACING = 0.05  # cosine: a photo that grazes the surface tells nothing of its colour
_WELL_FACING = 0.4  # cosine: from here on a photo's brightness can be compared with another's
_COMPARED = 60_000  # texels, spread over the atlas, by which exposures are compared
_ENOUGH = 0.02  # total weight from which a texel counts as seen
_RIM = 2  # mask pixels along the outline whose colour is mixed with the backdrop's
_AT_ONCE = 80_000  # texels handled in one go: bounds the memory


@dataclass(frozen=True)
class Texture:
    """`pixels` (side, side, 3) uint8; `seen`: the share of the surface that some photo shows."""

    pixels: NDArray[np.uint8]
    seen: float


@dataclass(frozen=True)
class _Texels:
    """Every covered texel: its number in the atlas and its triangle."""

    number: NDArray[np.int32]
    face: NDArray[np.int32]


def paint(mesh: Mesh, atlas: Atlas, outlines: list[Outline], cameras: list[Camera]) -> Texture:
    """The atlas' colours from the photos."""
    texels = _texels(atlas)
    points = _points(mesh, atlas, texels)
    normals = _smooth_normals(mesh)
    views = [_View(outline, camera, points) for outline, camera in zip(outlines, cameras, strict=True)]
    evened = _gains(views, points, normals, texels)
    colours = np.zeros((len(texels.number), 3), np.float32)
    total = np.zeros(len(texels.number), np.float32)
    for part in _portions(len(total)):
        for view, gain in zip(views, evened, strict=True):
            which, facing, sampled = view.look(points[part], normals[texels.face[part]])
            weight = facing**_SHARPNESS
            total[part.start + which] += weight
            colours[part.start + which] += weight[:, None] * sampled * gain
    del points, views  # the largest of all, and memory is short
    seen = total > _ENOUGH
    colours /= np.maximum(total, 1e-6)[:, None]
    _fill_unseen(mesh, atlas, texels, colours, seen)
    return Texture(_spread_into_gutters(texels, colours, atlas.side), float(seen.mean()))


def _smooth_normals(mesh: Mesh) -> Floats:
    """(m, 3) per triangle, calmed by its neighbours on the same side of any crease."""
    corners = corner_normals(mesh.vertices.astype(np.float64), mesh.triangles.astype(np.int64))
    means = corners.mean(1)
    unit: Floats = (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)
    return unit


def _gains(views: list[_View], points: Floats, normals: Floats, texels: _Texels) -> Floats:
    chosen = slice(None, None, max(1, len(points) // _COMPARED))
    places, ways = points[chosen], normals[texels.face[chosen]]
    colours = np.zeros((len(views), len(places), 3), np.float32)
    well_seen = np.zeros(colours.shape[:2], bool)
    for number, view in enumerate(views):
        which, facing, sampled = view.look(places, ways)
        colours[number, which] = sampled
        well_seen[number, which] = facing > _WELL_FACING
    return gains(colours, well_seen)


def _texels(atlas: Atlas) -> _Texels:
    owner = np.full(atlas.side**2, -1, np.int32)
    for place, face in covered_texels(atlas.corners, atlas.side):
        owner[place] = face
    number = np.flatnonzero(owner >= 0)
    return _Texels(number.astype(np.int32), owner[number])


def _points(mesh: Mesh, atlas: Atlas, texels: _Texels) -> Floats:
    """(k, 3) where in space the texels lie."""
    points = np.empty((len(texels.number), 3), np.float32)
    terms = barycentric(atlas.corners) @ mesh.vertices[mesh.triangles]
    for part in _portions(len(points)):
        points[part] = _at_texels(terms[texels.face[part]], texels.number[part], atlas.side)
    return points


def _portions(count: int) -> list[slice]:
    return [slice(start, start + _AT_ONCE) for start in range(0, count, _AT_ONCE)]


def _at_texels(terms: NDArray[np.float64], number: NDArray[np.int32], side: int) -> NDArray[np.float64]:
    """(k, 3) values in the texels' middles, by their triangles' terms."""
    row, column = np.divmod(number, side)
    return between(terms, column + 0.5, row + 0.5)


class _View:
    """One photo and its camera, as the surface looks at them."""

    def __init__(self, outline: Outline, camera: Camera, points: Floats) -> None:
        left, top, right, bottom = outline.box
        self.corner = np.array([top, left], np.float32)
        self.picture = _without_backdrop(
            outline.picture[top:bottom, left:right], outline.mask[top:bottom, left:right]
        )
        self.camera = camera
        self.foremost = _Foremost(points, camera, outline.mask.shape)

    def look(self, points: Floats, normals: Floats) -> tuple[NDArray[np.int64], Floats, Floats]:
        """(which of the points the photo shows, the cosine under which, their colours)."""
        facing = np.einsum("ij,ij->i", normals, self.camera.direction_to(points))
        turned = np.flatnonzero(facing > _LEAST_FACING)
        column, row, towards = self.camera.project(points[turned])
        seen = self.foremost.sees(column, row, towards, facing[turned])
        places = np.stack([row[seen], column[seen]]) - self.corner[:, None]
        colours = [
            ndimage.map_coordinates(
                self.picture[..., channel], places, np.float32, order=1, mode="nearest", prefilter=False
            )
            for channel in range(3)
        ]
        which = turned[seen]
        return which, facing[which], np.stack(colours, -1)


def _without_backdrop(picture: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The photo with its part's colours carried on over the rim and the backdrop."""
    core = shrunk(mask, _RIM) | (mask & ~_has_core(mask))
    nearest = ndimage.distance_transform_edt(~core, return_distances=False, return_indices=True)
    carried: NDArray[np.uint8] = picture[nearest[0], nearest[1]]
    return carried


def _has_core(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask without what is thinner than the rim on both sides."""
    return grown(shrunk(mask, _RIM), 2 * _RIM)


class _Foremost:
    """For one camera, how near the foremost surface lies in each cell of a coarse picture."""

    def __init__(self, points: Floats, camera: Camera, shape: tuple[int, ...]) -> None:
        self.cell = camera.zoom / _DEPTH_CELLS
        self.rows, self.columns = (int(size / self.cell) + 1 for size in shape[:2])
        self.nearest: Floats = np.full(self.rows * self.columns, -np.inf, np.float32)
        for part in _portions(len(points)):
            column, row, towards = camera.project(points[part])
            np.maximum.at(self.nearest, self._cells(column, row), towards)
        picture = self.nearest.reshape(self.rows, self.columns)
        self.nearest = ndimage.maximum_filter(
            picture, 3
        ).ravel()  # what lies close behind a rim is mixed with it

    def sees(self, column: Floats, row: Floats, towards: Floats, facing: Floats) -> NDArray[np.bool_]:
        """Whether nothing lies before these points, nor right beside their way to the camera."""
        slope = np.sqrt(1 - np.minimum(facing, 1) ** 2) / facing
        behind = self.nearest[self._cells(column, row)] - towards
        seen: NDArray[np.bool_] = behind < _BEHIND + slope / _DEPTH_CELLS
        return seen

    def _cells(self, column: Floats, row: Floats) -> NDArray[np.int32]:
        across = np.clip(column / self.cell, 0, self.columns - 1).astype(np.int32)
        down = np.clip(row / self.cell, 0, self.rows - 1).astype(np.int32)
        cells: NDArray[np.int32] = down * self.columns + across
        return cells


def _fill_unseen(mesh: Mesh, atlas: Atlas, texels: _Texels, colours: Floats, seen: NDArray[np.bool_]) -> None:
    """Give unseen texels the colours around them, spread evenly over the surface."""
    if seen.all() or not seen.any():
        return
    at_vertices = _vertex_colours(mesh, texels, colours, seen)
    unseen = np.flatnonzero(~seen)
    terms = barycentric(atlas.corners) @ at_vertices[mesh.triangles]
    for part in _portions(len(unseen)):
        number, face = texels.number[unseen[part]], texels.face[unseen[part]]
        colours[unseen[part]] = _at_texels(terms[face], number, atlas.side)


def _vertex_colours(mesh: Mesh, texels: _Texels, colours: Floats, seen: NDArray[np.bool_]) -> Floats:
    """Every vertex' colour: the mean of its triangles' seen texels, else harmonic between such vertices."""
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
    pull = 1e-6  # towards the usual colour, for pieces without any seen vertex
    usual = sums.sum(0) / weight.sum()
    hold = np.where(known, 1e3, pull)
    system: sparse.csr_array = sparse.diags_array(np.asarray(graph.sum(1)).ravel() + hold) - graph
    target = hold[:, None] * np.where(known[:, None], sums / np.maximum(weight, 1)[:, None], usual)
    solved = spsolve(sparse.csc_array(system), target)
    return solved.astype(np.float32)


def _spread_into_gutters(texels: _Texels, colours: Floats, side: int) -> NDArray[np.uint8]:
    """The atlas as a picture, its charts' colours carried on between them against seams in small mipmaps."""
    pixels = np.zeros((side * side, 3), np.uint8)
    pixels[texels.number] = np.clip(colours + 0.5, 0, 255).astype(np.uint8)
    filled = np.zeros(side * side, bool)
    filled[texels.number] = True
    empty = ~filled.reshape(side, side)
    nearest = ndimage.distance_transform_edt(empty, return_distances=False, return_indices=True)
    spread: NDArray[np.uint8] = pixels.reshape(side, side, 3)[nearest[0], nearest[1]]
    return spread

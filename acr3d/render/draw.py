"""A scene and a camera → a picture or a mask. Each pixel is the mean of four, so edges are smooth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from acr3d.render import raster
from acr3d.render.cameras import Camera
from acr3d.render.lighting import lit
from acr3d.render.materials import CLEAR, CUTOUT
from acr3d.render.mipmaps import Texture
from acr3d.render.scene import Scene

Numbers = NDArray[np.int64]
Colours = NDArray[np.float32]
Floats = NDArray[np.floating]

_FINER = 2  # pixels drawn along each side of a pixel shown
_PIXELS_AT_ONCE = 1 << 17


def mask(
    scene: Scene, camera: Camera, width: int, height: int, *, with_glass: bool = False
) -> NDArray[np.bool_]:
    """Where the camera sees anything of the part, from whichever side; clear glass only if asked for."""
    triangles = np.arange(len(scene.triangles)) if with_glass else _solid(scene)
    screen = _on_screen(scene, camera, (width, height), triangles)
    if not any(surface.alpha == CUTOUT for surface in scene.surfaces):
        return raster.coverage(screen, width, height)
    view = _View(scene, triangles, screen, camera)
    seen: NDArray[np.bool_] = raster.nearest(screen, width, height, view.is_there) != raster.NOTHING
    return seen


def closeness(scene: Scene, camera: Camera, width: int, height: int) -> NDArray[np.float64]:
    """How close the nearest of the part is in each pixel, glass too (Camera.project); −∞ where nothing is."""
    triangles = np.arange(len(scene.triangles))
    screen = _on_screen(scene, camera, (width, height), triangles)
    view = _View(scene, triangles, screen, camera)
    found = raster.nearest(screen, width, height, view.is_there if view.has_cutouts else None)
    near = np.full((height, width), -np.inf)
    rows, columns = np.nonzero(found != raster.NOTHING)
    near[rows, columns] = view.closeness(found[rows, columns].astype(np.int64), columns, rows)
    return near


def draw(scene: Scene, camera: Camera, width: int, height: int) -> Image.Image:
    """An RGBA picture on a transparent ground."""
    fine = camera.enlarged(_FINER)
    size = (_FINER * width, _FINER * height)
    is_clear = np.array([surface.alpha == CLEAR for surface in scene.surfaces])[scene.surface_of]
    canvas = np.zeros((size[1] * size[0], 4), np.float32)
    front = _layer(scene, fine, size, np.flatnonzero(~is_clear), canvas, None)
    if is_clear.any():
        _layer(scene, fine, size, np.flatnonzero(is_clear), canvas, front)
    return _shown(canvas.reshape(size[1], size[0], 4))


def on_white(picture: Image.Image) -> Image.Image:
    """The picture without transparency, as on a sheet of paper."""
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")


def _layer(
    scene: Scene,
    camera: Camera,
    size: tuple[int, int],
    triangles: Numbers,
    canvas: Colours,
    behind: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    """Draw the nearest of `triangles` over `canvas` where it is before `behind`; return how close it is."""
    screen = _on_screen(scene, camera, size, triangles)
    kept = _faces_us(scene, screen, triangles)
    triangles, screen = triangles[kept], screen.some(kept)
    view = _View(scene, triangles, screen, camera)
    closeness = np.full(len(canvas), -np.inf)
    if not len(triangles):
        return closeness
    found = raster.nearest(screen, *size, view.is_there if view.has_cutouts else None).reshape(-1)
    seen = np.flatnonzero(found != raster.NOTHING)
    for start in range(0, len(seen), _PIXELS_AT_ONCE):
        places = seen[start : start + _PIXELS_AT_ONCE]
        near, colours = view.look(found[places], places % size[0], places // size[0])
        closeness[places] = near
        if behind is not None:
            first = near > behind[places]
            places, colours = places[first], colours[first]
        alpha = colours[:, 3:]
        canvas[places, :3] = colours[:, :3] * alpha + canvas[places, :3] * (1 - alpha)
        canvas[places, 3:] = alpha + canvas[places, 3:] * (1 - alpha)
    return closeness


def _solid(scene: Scene) -> Numbers:
    """The triangles that make the outline."""
    return np.flatnonzero(np.array([surface.is_solid for surface in scene.surfaces])[scene.surface_of])


def _on_screen(scene: Scene, camera: Camera, size: tuple[int, int], triangles: Numbers) -> raster.Screen:
    column, row, closeness = camera.project(scene.points.astype(np.float64), size)
    corners = scene.triangles[triangles]
    return raster.Screen(column[corners], row[corners], closeness[corners])


def _faces_us(scene: Scene, screen: raster.Screen, triangles: Numbers) -> NDArray[np.bool_]:
    """Fronts of triangles go round against the clock; backs show on two-sided surfaces only."""
    two_sided = np.array([surface.is_two_sided for surface in scene.surfaces])[scene.surface_of[triangles]]
    (x0, x1, x2), (y0, y1, y2) = screen.columns.T, screen.rows.T
    with np.errstate(invalid="ignore"):
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    faces: NDArray[np.bool_] = two_sided | (area < 0)
    return faces


class _View:
    """What a camera sees of some triangles, pixel by pixel. Faces are counted within `triangles`."""

    def __init__(self, scene: Scene, triangles: Numbers, screen: raster.Screen, camera: Camera) -> None:
        self.scene, self.triangles, self.screen, self.camera = scene, triangles, screen, camera
        self.surface_of = scene.surface_of[triangles]
        self.has_cutouts = any(surface.alpha == CUTOUT for surface in scene.surfaces)
        self.perspective = screen.closeness if camera.nearness else np.ones((1, 3))

    def is_there(self, face: Numbers, column: Numbers, row: Numbers) -> NDArray[np.bool_]:
        """Whether the surface is solid at these pixels, and not a hole cut out by its texture."""
        found = np.ones(len(face), np.bool_)
        for number, surface in enumerate(self.scene.surfaces):
            if surface.alpha == CUTOUT:
                chosen = np.flatnonzero(self.surface_of[face] == number)
                weights = self._weights(face[chosen], column[chosen], row[chosen])
                found[chosen] = self._base(number, face[chosen], weights)[:, 3] >= surface.cutoff
        return found

    def closeness(self, face: Numbers, column: Numbers, row: Numbers) -> NDArray[np.float64]:
        """How close the faces are at these pixels."""
        weights = raster.barycentric(self.screen, face, column + 0.5, row + 0.5).clip(0, 1)
        near: NDArray[np.float64] = (weights * self.screen.closeness[face]).sum(1)
        return near

    def look(
        self, face: NDArray[np.int32], column: Numbers, row: Numbers
    ) -> tuple[NDArray[np.float64], Colours]:
        """How close the faces are at these pixels, and the light from there: linear, with alpha."""
        faces = face.astype(np.int64)
        near = self.closeness(faces, column, row)
        weights = self._weights(faces, column, row)
        colours = np.ones((len(faces), 4), np.float32)
        surface_of = self.surface_of[faces]
        normals, towards = self._normals(faces, weights)
        for number in np.unique(surface_of):
            surface, chosen = self.scene.surfaces[number], np.flatnonzero(surface_of == number)
            base = self._base(number, faces[chosen], weights[chosen])
            if surface.alpha != CLEAR:
                base[:, 3] = 1
            if not surface.is_unlit:
                base[:, :3] = lit(base[:, :3], normals[chosen], towards[chosen], surface.metallic)
            colours[chosen] = base
        return near, colours

    def _weights(self, face: Numbers, column: Numbers, row: Numbers) -> NDArray[np.float64]:
        """Each corner's share, as it is on the surface and not in the picture."""
        flat = raster.barycentric(self.screen, face, column + 0.5, row + 0.5).clip(0, 1)
        share = flat * (self.perspective[face] if self.camera.nearness else self.perspective)
        weights: NDArray[np.float64] = share / np.maximum(share.sum(1, keepdims=True), 1e-12)
        return weights

    def _mixed(self, values: NDArray[np.float32], face: Numbers, weights: NDArray[np.float64]) -> Colours:
        corners = self.scene.triangles[self.triangles[face]]
        mixed: Colours = np.einsum("kc,kcv->kv", weights.astype(np.float32), values[corners])
        return mixed

    def _base(self, number: int, face: Numbers, weights: NDArray[np.float64]) -> Colours:
        """The surface's own colour: linear, with alpha."""
        surface, scene = self.scene.surfaces[number], self.scene
        base = np.tile(np.array(surface.colour, np.float32), (len(face), 1))
        if scene.colours is not None:
            base *= self._mixed(scene.colours, face, weights)
        texture = surface.texture
        if texture is not None and texture.channel in scene.uv:
            uv = scene.uv[texture.channel]
            places = self._mixed(uv, face, weights).astype(np.float64)
            texels = texture.sample(places, self._level(texture, uv, face))
            texels[:, :3] = linear(texels[:, :3])
            base *= texels
        return base

    def _level(self, texture: Texture, uv: NDArray[np.float32], face: Numbers) -> NDArray[np.intp]:
        """The texture's level whose texels are about as large as the pixels that show it."""
        corners = uv[self.scene.triangles[self.triangles[face]]]
        texels = np.abs(_double_area(corners[..., 0], corners[..., 1])) * texture.texels_per_uv()
        pixels = np.abs(_double_area(self.screen.columns[face], self.screen.rows[face]))
        ratio = texels / np.maximum(pixels, 1e-9)
        levels: NDArray[np.intp] = np.round(np.log2(np.maximum(ratio, 1e-9)) / 2).clip(0, 30).astype(np.intp)
        return levels

    def _normals(self, face: Numbers, weights: NDArray[np.float64]) -> tuple[Colours, Colours]:
        """Unit normals on the side that is seen, and unit directions to the camera."""
        corners = self.scene.points[self.scene.triangles[self.triangles[face]]]
        flat = _unit(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]))
        normals = flat
        if self.scene.normals is not None:
            smooth = _unit(self._mixed(self.scene.normals, face, weights))
            normals = np.where((smooth == 0).all(1, keepdims=True), flat, smooth)
        places = np.einsum("kc,kcv->kv", weights, corners)
        towards = self.camera.directions_to(places).astype(np.float32)
        away = (flat * towards).sum(1) < 0
        normals[away] *= -1
        return normals, towards


def _unit(vectors: Colours) -> Colours:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Colours = vectors / np.maximum(length, 1e-20)
    return unit


def _double_area(x: Floats, y: Floats) -> Floats:
    area: Floats = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    return area


def linear(colours: Colours) -> Colours:
    """sRGB values, 0 to 1, as light."""
    light: Colours = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    return light


def _shown(canvas: Colours) -> Image.Image:
    """Light with premultiplied alpha, drawn finer → an 8-bit sRGB picture with straight alpha."""
    height, width = canvas.shape[0] // _FINER, canvas.shape[1] // _FINER
    mean = canvas.reshape(height, _FINER, width, _FINER, 4).mean((1, 3))
    light = (mean[..., :3] / np.maximum(mean[..., 3:], 1e-6)).clip(0, 1)
    screen = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    levels = np.dstack([screen, mean[..., 3]])
    return Image.fromarray(np.round(levels * 255).clip(0, 255).astype(np.uint8))

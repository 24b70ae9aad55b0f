"""Drawing a scene as a picture or a mask. Each pixel is the mean of four samples, so edges are smooth.

A pixel whose samples all show one triangle is shaded once, as with multisampling (MSAA).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from acr3d.render import lighting, raster
from acr3d.render.cameras import RenderCamera
from acr3d.render.materials import BLEND, MASK
from acr3d.render.mipmaps import MipmappedTexture
from acr3d.render.scene import Scene

Numbers = NDArray[np.int64]
Colours = NDArray[np.float32]
Floats = NDArray[np.floating]
Places = NDArray[np.integer] | Floats

_SUPERSAMPLING = 2  # samples along each side of a pixel
_PIXELS_AT_ONCE = 1 << 17


def mask(
    scene: Scene, camera: RenderCamera, width: int, height: int, *, with_glass: bool = False
) -> NDArray[np.bool_]:
    """Where the camera sees the part, front or back of its surface; clear glass only with `with_glass`."""
    triangles = np.arange(len(scene.triangles)) if with_glass else _solid_triangles(scene)
    screen = _on_screen(scene, camera, (width, height), triangles)
    if not any(material.alpha == MASK for material in scene.materials):
        return raster.coverage(screen, width, height)
    shader = _Shader(scene, triangles, screen, camera)
    nearest = raster.nearest_triangles(screen, width, height, shader.pixel_test)
    seen: NDArray[np.bool_] = nearest != raster.NOTHING
    return seen


def closeness_map(scene: Scene, camera: RenderCamera, width: int, height: int) -> NDArray[np.float64]:
    """Closeness (RenderCamera.project) of the nearest surface in each pixel, glass too; −∞ without any."""
    triangles = np.arange(len(scene.triangles))
    screen = _on_screen(scene, camera, (width, height), triangles)
    shader = _Shader(scene, triangles, screen, camera)
    found = raster.nearest_triangles(screen, width, height, shader.pixel_test)
    near = np.full((height, width), -np.inf)
    rows, columns = np.nonzero(found != raster.NOTHING)
    near[rows, columns] = shader.closeness(found[rows, columns].astype(np.int64), columns, rows)
    return near


def draw(scene: Scene, camera: RenderCamera, width: int, height: int) -> Image.Image:
    """An RGBA picture on a transparent background."""
    fine = camera.enlarged(_SUPERSAMPLING)
    size = (_SUPERSAMPLING * width, _SUPERSAMPLING * height)
    is_clear = np.array([material.alpha == BLEND for material in scene.materials])[scene.material_of]
    canvas = np.zeros((size[1] * size[0], 4), np.float32)
    front = _layer(scene, fine, size, np.flatnonzero(~is_clear), canvas, None)
    if is_clear.any():
        _layer(scene, fine, size, np.flatnonzero(is_clear), canvas, front)
    return _to_srgb(canvas.reshape(size[1], size[0], 4))


def flatten_on_white(picture: Image.Image) -> Image.Image:
    """The picture on a white background, without transparency."""
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")


def _layer(
    scene: Scene,
    camera: RenderCamera,
    size: tuple[int, int],
    triangles: Numbers,
    canvas: Colours,
    behind: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    """Draw the nearest of `triangles` onto `canvas` where closer than `behind`; return their closeness."""
    screen = _on_screen(scene, camera, size, triangles)
    kept = _front_facing(scene, screen, triangles)
    triangles, screen = triangles[kept], screen.some(kept)
    shader = _Shader(scene, triangles, screen, camera)
    closeness = np.full(len(canvas), -np.inf)
    if not len(triangles):
        return closeness
    found = raster.nearest_triangles(screen, *size, shader.pixel_test)

    def put(places: Numbers, near: NDArray[np.float64], colours: Colours) -> None:
        closeness[places] = near
        if behind is not None:
            first = near > behind[places]
            places, colours = places[first], colours[first]
        alpha = colours[:, 3:]
        canvas[places, :3] = colours[:, :3] * alpha + canvas[places, :3] * (1 - alpha)
        canvas[places, 3:] = alpha + canvas[places, 3:] * (1 - alpha)

    whole, faces = _whole_pixels(found)
    if _has_glass(scene):
        whole[:] = False  # depths are compared sample by sample, so each sample needs its own
    for rows, columns in _pieces(whole & (faces != raster.NOTHING)):
        middle = (_SUPERSAMPLING - 1) / 2
        at = _SUPERSAMPLING * columns + middle, _SUPERSAMPLING * rows + middle
        near, colours = shader.shade(faces[rows, columns], *at, side=_SUPERSAMPLING)
        for down, right in np.ndindex(_SUPERSAMPLING, _SUPERSAMPLING):
            sample = (_SUPERSAMPLING * rows + down) * size[0] + _SUPERSAMPLING * columns + right
            put(sample, near, colours)
    split = ~whole.repeat(_SUPERSAMPLING, 0).repeat(_SUPERSAMPLING, 1)
    for rows, columns in _pieces(split & (found != raster.NOTHING)):
        put(rows * size[0] + columns, *shader.shade(found[rows, columns], columns, rows))
    return closeness


def _has_glass(scene: Scene) -> bool:
    return any(material.alpha == BLEND for material in scene.materials)


def _whole_pixels(found: NDArray[np.int32]) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
    """Where one triangle has all samples of a pixel; and the triangle of each pixel's first sample."""
    height, width = found.shape[0] // _SUPERSAMPLING, found.shape[1] // _SUPERSAMPLING
    samples = found.reshape(height, _SUPERSAMPLING, width, _SUPERSAMPLING)
    first = samples[:, :1, :, :1]
    return (samples == first).all((1, 3)), first[:, 0, :, 0]


def _pieces(chosen: NDArray[np.bool_]) -> Iterator[tuple[Numbers, Numbers]]:
    """Rows and columns of the chosen places, a limited number at once."""
    rows, columns = np.nonzero(chosen)
    for start in range(0, len(rows), _PIXELS_AT_ONCE):
        piece = slice(start, start + _PIXELS_AT_ONCE)
        yield rows[piece], columns[piece]


def _solid_triangles(scene: Scene) -> Numbers:
    """The triangles that count for the silhouette."""
    return np.flatnonzero(np.array([material.is_solid for material in scene.materials])[scene.material_of])


def _on_screen(
    scene: Scene, camera: RenderCamera, size: tuple[int, int], triangles: Numbers
) -> raster.ScreenTriangles:
    column, row, closeness = camera.project(scene.points.astype(np.float64), size)
    corners = scene.triangles[triangles]
    return raster.ScreenTriangles(column[corners], row[corners], closeness[corners])


def _front_facing(scene: Scene, screen: raster.ScreenTriangles, triangles: Numbers) -> NDArray[np.bool_]:
    """Back-face culling: front faces are counter-clockwise; back faces show only if double-sided."""
    double_sided = np.array([material.is_double_sided for material in scene.materials])[
        scene.material_of[triangles]
    ]
    (x0, x1, x2), (y0, y1, y2) = screen.columns.T, screen.rows.T
    with np.errstate(invalid="ignore"):
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    faces: NDArray[np.bool_] = double_sided | (area < 0)
    return faces


class _Shader:
    """Colour and closeness of some triangles, per pixel. `face` arguments are indices into `triangles`."""

    def __init__(
        self, scene: Scene, triangles: Numbers, screen: raster.ScreenTriangles, camera: RenderCamera
    ) -> None:
        self.scene, self.triangles, self.screen, self.camera = scene, triangles, screen, camera
        self.material_of = scene.material_of[triangles]
        has_cutouts = any(material.alpha == MASK for material in scene.materials)
        self.pixel_test = self._is_opaque if has_cutouts else None
        self.perspective = screen.closeness if camera.nearness else np.ones((1, 3))

    def _is_opaque(self, face: Numbers, column: Numbers, row: Numbers) -> NDArray[np.bool_]:
        """Whether the surface is opaque at these pixels; an alpha mask in its texture can cut holes."""
        found = np.ones(len(face), np.bool_)
        for number, material in enumerate(self.scene.materials):
            if material.alpha == MASK:
                chosen = np.flatnonzero(self.material_of[face] == number)
                weights = self._weights(face[chosen], column[chosen], row[chosen])
                found[chosen] = self._base_colour(number, face[chosen], weights)[:, 3] >= material.cutoff
        return found

    def closeness(self, face: Numbers, column: Places, row: Places) -> NDArray[np.float64]:
        """Closeness of the faces at these pixels."""
        weights = raster.barycentric(self.screen, face, column + 0.5, row + 0.5).clip(0, 1)
        near: NDArray[np.float64] = np.einsum("kc,kc->k", weights, self.screen.closeness[face])
        return near

    def shade(
        self, face: NDArray[np.int32], column: Places, row: Places, side: int = 1
    ) -> tuple[NDArray[np.float64], Colours]:
        """Closeness of the faces at these places, and their shaded colour: linear, with alpha.

        `side`: how many samples wide and high each place is.
        """
        faces = face.astype(np.int64)
        near = self.closeness(faces, column, row)
        weights = self._weights(faces, column, row)
        colours = np.ones((len(faces), 4), np.float32)
        material_of = self.material_of[faces]
        normals, towards = self._normals(faces, weights)
        for number in np.unique(material_of):
            material, chosen = self.scene.materials[number], np.flatnonzero(material_of == number)
            base = self._base_colour(number, faces[chosen], weights[chosen], side)
            if material.alpha != BLEND:
                base[:, 3] = 1
            if not material.is_unlit:
                base[:, :3] = lighting.shade(base[:, :3], normals[chosen], towards[chosen], material.metallic)
            colours[chosen] = base
        return near, colours

    def _weights(self, face: Numbers, column: Places, row: Places) -> NDArray[np.float64]:
        """Perspective-correct barycentric weights."""
        flat = raster.barycentric(self.screen, face, column + 0.5, row + 0.5).clip(0, 1)
        share = flat * (self.perspective[face] if self.camera.nearness else self.perspective)
        weights: NDArray[np.float64] = share / np.maximum(np.einsum("kc->k", share)[:, None], 1e-12)
        return weights

    def _interpolate(
        self, values: NDArray[np.float32], face: Numbers, weights: NDArray[np.float64]
    ) -> Colours:
        corners = self.scene.triangles[self.triangles[face]]
        mixed: Colours = np.einsum("kc,kcv->kv", weights.astype(np.float32), values[corners])
        return mixed

    def _base_colour(
        self, number: int, face: Numbers, weights: NDArray[np.float64], side: int = 1
    ) -> Colours:
        """The material's base colour: linear, with alpha."""
        material, scene = self.scene.materials[number], self.scene
        base = np.tile(np.array(material.colour, np.float32), (len(face), 1))
        if scene.colours is not None:
            base *= self._interpolate(scene.colours, face, weights)
        texture = material.texture
        if texture is not None and texture.channel in scene.uv:
            uv = scene.uv[texture.channel]
            places = self._interpolate(uv, face, weights).astype(np.float64)
            texels = texture.sample(places, self._level(texture, uv, face, side))
            texels[:, :3] = srgb_to_linear(texels[:, :3])
            base *= texels
        return base

    def _level(
        self, texture: MipmappedTexture, uv: NDArray[np.float32], face: Numbers, side: int
    ) -> NDArray[np.intp]:
        """The mipmap level whose texels are about as large as the places that show them."""
        corners = uv[self.scene.triangles[self.triangles[face]]]
        texels = np.abs(_double_area(corners[..., 0], corners[..., 1])) * texture.texels_per_uv()
        pixels = np.abs(_double_area(self.screen.columns[face], self.screen.rows[face])) / side**2
        ratio = texels / np.maximum(pixels, 1e-9)
        levels: NDArray[np.intp] = np.round(np.log2(np.maximum(ratio, 1e-9)) / 2).clip(0, 30).astype(np.intp)
        return levels

    def _normals(self, face: Numbers, weights: NDArray[np.float64]) -> tuple[Colours, Colours]:
        """Unit normals on the visible side, and unit directions to the camera."""
        corners = self.scene.points[self.scene.triangles[self.triangles[face]]]
        flat = _unit(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]))
        normals = flat
        if self.scene.normals is not None:
            smooth = _unit(self._interpolate(self.scene.normals, face, weights))
            normals = np.where((smooth == 0).all(1, keepdims=True), flat, smooth)
        places = np.einsum("kc,kcv->kv", weights, corners)
        towards = self.camera.directions_to(places).astype(np.float32)
        away = np.einsum("kc,kc->k", flat, towards) < 0
        normals[away] *= -1
        return normals, towards


def _unit(vectors: Colours) -> Colours:
    length = np.sqrt(np.einsum("kc,kc->k", vectors, vectors))[:, None]
    unit: Colours = vectors / np.maximum(length, 1e-20)
    return unit


def _double_area(x: Floats, y: Floats) -> Floats:
    area: Floats = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    return area


def srgb_to_linear(colours: Colours) -> Colours:
    """sRGB values from 0 to 1 as linear light."""
    light: Colours = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    return light


def _to_srgb(canvas: Colours) -> Image.Image:
    """Supersampled linear light with premultiplied alpha as an 8-bit sRGB picture with straight alpha."""
    height, width = canvas.shape[0] // _SUPERSAMPLING, canvas.shape[1] // _SUPERSAMPLING
    samples = canvas.reshape(height, _SUPERSAMPLING, width, _SUPERSAMPLING, 4)
    mean = np.einsum("hawbc->hwc", samples) / _SUPERSAMPLING**2
    light = (mean[..., :3] / np.maximum(mean[..., 3:], 1e-6)).clip(0, 1)
    screen = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    levels = np.dstack([screen, mean[..., 3]])
    return Image.fromarray(np.round(levels * 255).clip(0, 255).astype(np.uint8))

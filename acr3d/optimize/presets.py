"""What each `--level` does to a model."""

from __future__ import annotations

from dataclasses import dataclass, field

from acr3d.optimize.draco.stream import DracoOptions
from acr3d.optimize.recode_image import ImageCoding
from acr3d.optimize.steps.texture_compress import TextureOptions

PHONE_TRIANGLES = 30_000
# Four maps of 2048²: up to a megabyte of WebP, and 90 MB of GPU memory.
_PHONE_PIXELS = 16 << 20


@dataclass(frozen=True)
class CoreLevel:
    """The second file, for readers that support only core glTF (Android's Scene Viewer)."""

    most_triangles: int | None
    textures: TextureOptions


@dataclass(frozen=True)
class Level:
    """How much of the source is kept, and how it is stored.

    Without `most_triangles` all triangles are kept. With `bakes_normals` the detail lost with the triangles
    goes into the normal map, if Blender is installed.
    """

    ar: CoreLevel
    most_triangles: int | None = None
    bakes_normals: bool = False
    draco: DracoOptions = field(default_factory=DracoOptions)
    textures: TextureOptions = field(default_factory=TextureOptions)


def _core(most_triangles: int, max_side: int) -> CoreLevel:
    textures = TextureOptions(
        ImageCoding.CORE, max_side, _PHONE_PIXELS, colour_quality=80, data_quality=80, normal_quality=85
    )
    return CoreLevel(most_triangles, textures)


LEVELS = {
    "web": Level(_core(100_000, 2048)),
    "light": Level(
        _core(PHONE_TRIANGLES, 1024),
        most_triangles=PHONE_TRIANGLES,
        bakes_normals=True,
        textures=TextureOptions(most_pixels=_PHONE_PIXELS),
    ),
    "full": Level(_core(100_000, 2048), textures=TextureOptions(ImageCoding.LOSSLESS)),
}

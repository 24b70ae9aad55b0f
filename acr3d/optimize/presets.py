"""What a file is made for, and what follows from that."""

from __future__ import annotations

from dataclasses import dataclass, field

from acr3d.optimize.steps.draco_stream import DracoOptions
from acr3d.optimize.steps.texture_compress import Coding
from acr3d.optimize.steps.textures import TextureOptions

PHONE_TRIANGLES = 30_000
# Four maps of 2048²: up to a megabyte of WebP, and 90 MB on the graphics card.
_LIGHT_PIXELS = 16 << 20


@dataclass(frozen=True)
class CoreLevel:
    """The file beside a level's own, for readers that know core glTF only (Android's Scene Viewer)."""

    most_triangles: int
    textures: TextureOptions


@dataclass(frozen=True)
class Level:
    """How much of the source is kept, and how it is stored; without `most_triangles`, all of them.

    With `bakes_detail`, what the triangles lose goes into the normal map, where Blender is installed.
    """

    ar: CoreLevel
    most_triangles: int | None = None
    bakes_detail: bool = False
    draco: DracoOptions = field(default_factory=DracoOptions)
    textures: TextureOptions = field(default_factory=TextureOptions)


def _core(most_triangles: int, max_side: int) -> CoreLevel:
    textures = TextureOptions(
        Coding.CORE, max_side, _LIGHT_PIXELS, colour_quality=80, data_quality=80, normal_quality=85
    )
    return CoreLevel(most_triangles, textures)


LEVELS = {
    "web": Level(_core(100_000, 2048)),
    "light": Level(
        _core(PHONE_TRIANGLES, 1024),
        most_triangles=PHONE_TRIANGLES,
        bakes_detail=True,
        textures=TextureOptions(most_pixels=_LIGHT_PIXELS),
    ),
    "full": Level(_core(100_000, 2048), textures=TextureOptions(Coding.LOSSLESS)),
}

"""What would make a capture better: sentences for the person who films."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from acr3d.capture_sheet.layout import Sheet
from acr3d.messages.message import Message
from acr3d.spin import rings
from acr3d.spin.camera import Camera

Floats = NDArray[np.float64]

_WHOLE = 0.95  # of the way round
_MANY_BLURRED, _MANY_CUT_OFF = 1 / 3, 1 / 5  # of the pictures
_MIDDLE = 0.6  # of the blank circle's radius: where the part is, whatever its size


@dataclass(frozen=True)
class Found:
    """What was found in a capture: the kept cameras; of `seen` pictures so many were `blurred`."""

    sheet: Sheet
    cameras: tuple[Camera, ...]
    seen: int
    blurred: int

    @cached_property
    def places(self) -> Floats:
        return np.array([camera.place for camera in self.cameras])

    @cached_property
    def rings(self) -> list[rings.Ring]:
        return rings.rings(self.places)

    @cached_property
    def coverage(self) -> float:
        return rings.coverage(self.places)

    @cached_property
    def cut_off(self) -> int:
        """In how many pictures the middle of the sheet, where the part lies, runs out of the picture."""
        turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        circle = np.stack([np.cos(turns), np.sin(turns), np.zeros_like(turns)], 1)
        middle = circle * _MIDDLE * self.sheet.blank_radius
        return sum(not _is_inside(camera, middle) for camera in self.cameras)


def advice(found: Found) -> Iterator[Message]:
    """The most important first."""
    if found.coverage < _WHOLE:
        yield Message("spin.gap", percent=round(100 * found.coverage))
    if found.cut_off > _MANY_CUT_OFF * len(found.cameras):
        yield Message("spin.part_cut_off", n=found.cut_off)
    if found.blurred > _MANY_BLURRED * found.seen:
        yield Message("spin.many_blurred", blurred=found.blurred, n=found.seen)
    if len(found.rings) < 2:
        yield Message("spin.one_lap")
    if rings.elevations(found.places).max() < rings.FROM_ABOVE:
        yield Message("spin.not_from_above")
    yield Message("spin.trust_the_print")


def _is_inside(camera: Camera, points: Floats) -> bool:
    pixels, depths = camera.project(points)
    size = np.array([camera.lens.width, camera.lens.height])
    return bool((depths > 0).all() and (pixels >= 0).all() and (pixels <= size - 1).all())

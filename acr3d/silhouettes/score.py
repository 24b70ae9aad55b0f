"""One figure for how well a model's outline agrees with a photo's: 1 is the same, near 0 another part."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from acr3d.carving.morphology import dilated, eroded
from acr3d.render.cameras import Camera
from acr3d.render.draw import mask
from acr3d.render.scene import Scene
from acr3d.silhouettes.photo_silhouette import Mask, Sight

_NEAR = 0.012  # of the part's diagonal: two outlines no farther apart than this coincide
_LEAST_NEAR = 1.5  # pixels


def agreement(scene: Scene, camera: Camera, sight: Sight) -> float:
    """The share of both outlines that coincides, lessened by the root of the share of area in common.

    Area alone cannot tell one disc from another; the outline's length can (as the boundary F1 score of Csurka
    and others, 2013, does). What only clear glass covers is left out: in a photo it may show either way.
    """
    side = len(sight.mask)
    solid = mask(scene, camera, side, side)
    glass = mask(scene, camera, side, side, with_glass=True) & ~solid
    known = ~dilated(glass, 3) if glass.any() else np.ones_like(solid)
    both, either = (solid & sight.mask & known).sum(), ((solid | sight.mask) & known).sum()
    near = max(_LEAST_NEAR, _NEAR * sight.extent)
    return float(np.sqrt(both / max(either, 1)) * _shared_length(solid, sight.mask, known, near))


def _shared_length(one: Mask, other: Mask, known: Mask, near: float) -> float:
    """The harmonic mean of how much of each outline runs beside the other one."""
    first, second = _rim(one), _rim(other)
    if not (first & known).any() or not (second & known).any():
        return 0.0
    of_first = (ndimage.distance_transform_edt(~second)[first & known] <= near).mean()
    of_second = (ndimage.distance_transform_edt(~first)[second & known] <= near).mean()
    return float(2 * of_first * of_second / max(of_first + of_second, 1e-9))


def _rim(area: Mask) -> Mask:
    return area & ~eroded(area)

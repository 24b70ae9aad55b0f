"""A score for how well a model's silhouette matches a photo's: 1 is equal, near 0 is another part."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from acr3d.carving.morphology import dilated, eroded
from acr3d.render.cameras import RenderCamera
from acr3d.render.draw import mask
from acr3d.render.scene import Scene
from acr3d.silhouettes.photo_silhouette import Mask, PhotoSilhouette

_NEAR = 0.012  # of the part's diagonal: outlines at most this far apart coincide
_LEAST_NEAR = 1.5  # pixels


def silhouette_score(scene: Scene, camera: RenderCamera, silhouette: PhotoSilhouette) -> float:
    """The boundary F1 score (Csurka et al., 2013) multiplied by the square root of the IoU.

    The IoU alone cannot tell one disc from another, but the outlines can. Pixels that only clear glass covers
    are ignored: in a photo they may look like the part or like the background.
    """
    side = len(silhouette.mask)
    solid = mask(scene, camera, side, side)
    glass = mask(scene, camera, side, side, with_glass=True) & ~solid
    known = ~dilated(glass, 3) if glass.any() else np.ones_like(solid)
    both, either = (solid & silhouette.mask & known).sum(), ((solid | silhouette.mask) & known).sum()
    near = max(_LEAST_NEAR, _NEAR * silhouette.extent)
    return float(np.sqrt(both / max(either, 1)) * _boundary_f1(solid, silhouette.mask, known, near))


def _boundary_f1(one: Mask, other: Mask, known: Mask, near: float) -> float:
    """The boundary F1 score: the harmonic mean of the shares of each outline that lie near the other."""
    first, second = _outline(one), _outline(other)
    if not (first & known).any() or not (second & known).any():
        return 0.0
    of_first = (ndimage.distance_transform_edt(~second)[first & known] <= near).mean()
    of_second = (ndimage.distance_transform_edt(~first)[second & known] <= near).mean()
    return float(2 * of_first * of_second / max(of_first + of_second, 1e-9))


def _outline(area: Mask) -> Mask:
    return area & ~eroded(area)

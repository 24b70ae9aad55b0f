"""Shape priors: likely properties of the part that narrow down what the silhouettes leave open.

A prior only removes material. It is dropped if any silhouette would shrink: every ray along every contour
must still meet what all accepted priors leave, as well as it met the visual hull.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from acr3d.carving.cameras import PinholeCamera, Points
from acr3d.carving.distance_field import DistanceField
from acr3d.carving.mirror_symmetry import find_mirror_symmetries
from acr3d.carving.rotational_symmetry import find_rotational_symmetry
from acr3d.carving.silhouette import Silhouette
from acr3d.carving.silhouette_coherence import SilhouetteCoherence

Vector = NDArray[np.float64]

_MAX_RAY_LOSS = 0.012  # of the part's largest side: how far rays may miss what is left
_IGNORED_RAYS_PERCENT = 2  # the worst rays, which do not count


class ShapePrior(Protocol):
    """An assumption about the solid; `facts` go into the report."""

    @property
    def facts(self) -> dict[str, Any]: ...

    def depth(self, points: Points) -> NDArray[np.float32]:
        """How deep, in units, (n, 3) points lie inside what the prior allows."""

    def expanded_box(self, box: Vector) -> Vector:
        """The (2, 3) box that the solid needs under this prior, given the box its silhouettes need."""


@dataclass(frozen=True)
class Evidence:
    """What priors are derived from: refined cameras, silhouettes with distance fields, and the hull's box."""

    cameras: list[PinholeCamera]
    silhouettes: list[Silhouette]
    fields: list[DistanceField]
    box: Vector


def find_shape_priors(evidence: Evidence, coherence: SilhouetteCoherence) -> list[ShapePrior]:
    """The priors that the silhouettes support and that shrink none of them."""
    cameras, silhouettes, fields, box = evidence.cameras, evidence.silhouettes, evidence.fields, evidence.box
    rotational = find_rotational_symmetry(cameras, silhouettes, fields, box)
    mirrors = find_mirror_symmetries(cameras, fields, box)
    priors: list[ShapePrior] = [*([rotational] if rotational else []), *mirrors]
    rays = [coherence.sample_rays(cameras, number)[:2] for number in range(len(cameras))]
    return compatible_priors(priors, rays)


def compatible_priors(priors: list[ShapePrior], rays: Sequence[tuple[Vector, Vector]]) -> list[ShapePrior]:
    """The priors that together leave every silhouette whole, tried in the order of what each costs alone.

    `rays`: per photo, the samples (rays, steps, 3) along its contour's rays and their depth in the hull.
    """
    allowed = {
        number: [prior.depth(points.reshape(-1, 3)).reshape(inside.shape) for points, inside in rays]
        for number, prior in enumerate(priors)
    }
    left = [inside for _, inside in rays]
    kept = []
    for number in sorted(allowed, key=lambda number: _ray_loss(rays, left, allowed[number])):
        if _ray_loss(rays, left, allowed[number]) <= _MAX_RAY_LOSS:
            left = [np.minimum(inside, depth) for inside, depth in zip(left, allowed[number], strict=True)]
            kept.append(number)
    return [priors[number] for number in sorted(kept)]


def _ray_loss(
    rays: Sequence[tuple[Vector, Vector]], left: Sequence[Vector], allowed: Sequence[NDArray[np.float32]]
) -> float:
    """How far, in units, the worst photo's rays miss what a further prior leaves, ignoring a few rays."""
    losses = []
    for (_, hull), inside, depth in zip(rays, left, allowed, strict=True):
        missed = np.minimum(hull.max(1), 0) - np.minimum(np.minimum(inside, depth).max(1), 0)
        losses.append(float(np.percentile(missed, 100 - _IGNORED_RAYS_PERCENT)))
    return max(losses)

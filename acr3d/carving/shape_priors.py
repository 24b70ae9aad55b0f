"""Guesses past the hull: what outlines alone leave open and the part most likely is.

A guess only takes away, and is dropped when any photographed outline would lose something by it: every ray
along every outline must meet what all guesses together leave as well as it met the hull.
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

_MAX_RAY_LOSS = 0.012  # of the part's largest side: by so much may one ray in fifty miss what is left
_IGNORED_RAYS_PERCENT = 2  # per cent


class ShapePrior(Protocol):
    """Something assumed about the solid; `facts` stand in the report."""

    @property
    def facts(self) -> dict[str, Any]: ...

    def depth(self, points: Points) -> NDArray[np.float32]:
        """How deep (n, 3) points lie inside what the guess allows, in units."""

    def expanded_box(self, box: Vector) -> Vector:
        """The (2, 3) box that a solid so guessed needs, given the one that its outlines need."""


@dataclass(frozen=True)
class Evidence:
    """What guesses are drawn from: the refined cameras, their outlines and fields, and the hull's box."""

    cameras: list[PinholeCamera]
    silhouettes: list[Silhouette]
    fields: list[DistanceField]
    box: Vector


def find_shape_priors(evidence: Evidence, coherence: SilhouetteCoherence) -> list[ShapePrior]:
    """The guesses that the outlines bear out, and that break none of them."""
    cameras, silhouettes, fields, box = evidence.cameras, evidence.silhouettes, evidence.fields, evidence.box
    rotational = find_rotational_symmetry(cameras, silhouettes, fields, box)
    mirrors = find_mirror_symmetries(cameras, fields, box)
    priors: list[ShapePrior] = [*([rotational] if rotational else []), *mirrors]
    rays = [coherence.sample_rays(cameras, number)[:2] for number in range(len(cameras))]
    return compatible_priors(priors, rays)


def compatible_priors(priors: list[ShapePrior], rays: Sequence[tuple[Vector, Vector]]) -> list[ShapePrior]:
    """The guesses that leave every outline whole together, the one that costs least alone coming first.

    `rays`: per photo the places (rays, steps, 3) along its outline's rays, and how deep they lie in the hull.
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
    """By how much, in units, the worst photo's rays miss what a further guess leaves, a few rays apart."""
    losses = []
    for (_, hull), inside, depth in zip(rays, left, allowed, strict=True):
        missed = np.minimum(hull.max(1), 0) - np.minimum(np.minimum(inside, depth).max(1), 0)
        losses.append(float(np.percentile(missed, 100 - _IGNORED_RAYS_PERCENT)))
    return max(losses)

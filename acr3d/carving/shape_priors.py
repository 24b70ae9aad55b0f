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

from acr3d.carving.cameras import Camera, Points
from acr3d.carving.distance_field import DistanceField
from acr3d.carving.mirror_symmetry import find_mirrors
from acr3d.carving.rotational_symmetry import find_round
from acr3d.carving.silhouette import Outline
from acr3d.carving.silhouette_coherence import Coherence

Vector = NDArray[np.float64]

_LARGEST_LOSS = 0.012  # of the part's largest side: by so much may one ray in fifty miss what is left
_FEW_RAYS = 2  # per cent


class Guess(Protocol):
    """Something assumed about the solid; `facts` stand in the report."""

    @property
    def facts(self) -> dict[str, Any]: ...

    def depth(self, points: Points) -> NDArray[np.float32]:
        """How deep (n, 3) points lie inside what the guess allows, in units."""

    def room(self, box: Vector) -> Vector:
        """The (2, 3) box that a solid so guessed needs, given the one that its outlines need."""


@dataclass(frozen=True)
class Evidence:
    """What guesses are drawn from: the refined cameras, their outlines and fields, and the hull's box."""

    cameras: list[Camera]
    outlines: list[Outline]
    fields: list[DistanceField]
    box: Vector


def find_guesses(evidence: Evidence, coherence: Coherence) -> list[Guess]:
    """The guesses that the outlines bear out, and that break none of them."""
    cameras, outlines, fields, box = evidence.cameras, evidence.outlines, evidence.fields, evidence.box
    round_one = find_round(cameras, outlines, fields, box)
    mirrors = find_mirrors(cameras, fields, box)
    guesses: list[Guess] = [*([round_one] if round_one else []), *mirrors]
    rays = [coherence.along_rays(cameras, number)[:2] for number in range(len(cameras))]
    return kept_together(guesses, rays)


def kept_together(guesses: list[Guess], rays: Sequence[tuple[Vector, Vector]]) -> list[Guess]:
    """The guesses that leave every outline whole together, the one that costs least alone coming first.

    `rays`: per photo the places (rays, steps, 3) along its outline's rays, and how deep they lie in the hull.
    """
    allowed = {
        number: [guess.depth(points.reshape(-1, 3)).reshape(inside.shape) for points, inside in rays]
        for number, guess in enumerate(guesses)
    }
    left = [inside for _, inside in rays]
    kept = []
    for number in sorted(allowed, key=lambda number: _loss(rays, left, allowed[number])):
        if _loss(rays, left, allowed[number]) <= _LARGEST_LOSS:
            left = [np.minimum(inside, depth) for inside, depth in zip(left, allowed[number], strict=True)]
            kept.append(number)
    return [guesses[number] for number in sorted(kept)]


def _loss(
    rays: Sequence[tuple[Vector, Vector]], left: Sequence[Vector], allowed: Sequence[NDArray[np.float32]]
) -> float:
    """By how much, in units, the worst photo's rays miss what a further guess leaves, a few rays apart."""
    losses = []
    for (_, hull), inside, depth in zip(rays, left, allowed, strict=True):
        missed = np.minimum(hull.max(1), 0) - np.minimum(np.minimum(inside, depth).max(1), 0)
        losses.append(float(np.percentile(missed, 100 - _FEW_RAYS)))
    return max(losses)

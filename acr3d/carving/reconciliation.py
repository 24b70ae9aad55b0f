"""Reconcile photos that contradict each other: the best that can be made of them, and what was doubtful.

A photo from above or below has no way up of its own, so people lay its front to any side; one photo may show
something else. Such photos are turned by quarters, or left out, if the silhouettes then fit much better. See
docs/decisions/0038-engine-reconciliation.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from acr3d.carving.calibration import Calibration
from acr3d.carving.cameras import viewing_axis
from acr3d.carving.distance_field import DistanceField, distance_field
from acr3d.carving.errors import side
from acr3d.carving.free_calibration import calibrate_freely, contradiction_cost
from acr3d.carving.initial_size import Proportions, estimate_proportions
from acr3d.carving.silhouette import Silhouette
from acr3d.messages.message import Message

_LYING_SIDES = ("top", "bottom")
_EXCHANGED = {"left": "right", "right": "left"}
_TOLERABLE_COST = 1.5  # per photo; up to here nothing is turned or left out
_TURN_GAIN = 0.75  # turned, a photo must leave this share of the cost at most
_CLEAR_GAIN = 0.6  # likewise with left and right exchanged
_LEFT_OUT_GAIN = 0.3  # likewise without a photo, since fewer photos always fit better


@dataclass(frozen=True)
class Reconciled:
    """The photos that are used, turned where need be, with what fits them best; `doubts` are for people."""

    silhouettes: list[Silhouette]
    fields: list[DistanceField]
    proportions: Proportions
    calibration: Calibration
    doubts: list[Message]


def reconcile(silhouettes: Sequence[Silhouette]) -> Reconciled:
    """The cameras and photos with which the silhouettes contradict each other least."""
    used, doubts = list(silhouettes), list[Message]()
    cost = contradiction_cost(used)
    for explain in (_turned_upright, _without_stranger, as_labelled):
        if cost > _TOLERABLE_COST:
            used, found = explain(used, cost)
            doubts += found
            cost = contradiction_cost(used) if found else cost
    fields = [distance_field(silhouette.mask) for silhouette in used]
    proportions = estimate_proportions(used)
    return Reconciled(used, fields, proportions, calibrate_freely(used, fields, proportions), doubts)


def _turned_upright(silhouettes: list[Silhouette], _cost: float) -> tuple[list[Silhouette], list[Message]]:
    """The photos from above and below turned by the quarters with which they fit the others."""
    standing = [silhouette for silhouette in silhouettes if silhouette.angle not in _LYING_SIDES]
    if _axes(standing) < 2:
        return silhouettes, []
    turns = {
        silhouette.angle: _best_turn(silhouette, standing)
        for silhouette in silhouettes
        if silhouette.angle in _LYING_SIDES
    }
    doubts = [
        Message("carving.doubt_turned", angle=side(angle), degrees=90 * quarters)
        for angle, quarters in turns.items()
        if quarters
    ]
    return [_turned(silhouette, turns.get(silhouette.angle, 0)) for silhouette in silhouettes], doubts


def _best_turn(silhouette: Silhouette, standing: list[Silhouette]) -> int:
    costs = [contradiction_cost([*standing, _turned(silhouette, quarters)]) for quarters in range(4)]
    best = int(np.argmin(costs))
    return best if costs[best] < _TURN_GAIN * costs[0] else 0


def _turned(silhouette: Silhouette, quarters: int) -> Silhouette:
    if not quarters:
        return silhouette
    return replace(
        silhouette,
        mask=np.ascontiguousarray(np.rot90(silhouette.mask, quarters)),
        pixels=np.ascontiguousarray(np.rot90(silhouette.pixels, quarters)),
    )


def _without_stranger(silhouettes: list[Silhouette], cost: float) -> tuple[list[Silhouette], list[Message]]:
    """The photos without the one that contradicts all others, if the others show as many axes."""
    if len(silhouettes) < 4:
        return silhouettes, []
    rest = [silhouettes[:number] + silhouettes[number + 1 :] for number in range(len(silhouettes))]
    costs = [contradiction_cost(others) if _axes(others) == _axes(silhouettes) else np.inf for others in rest]
    least = int(np.argmin(costs))
    if costs[least] > _LEFT_OUT_GAIN * cost:
        return silhouettes, []
    return rest[least], [Message("carving.doubt_left_out", angle=side(silhouettes[least].angle))]


def as_labelled(silhouettes: list[Silhouette], cost: float) -> tuple[list[Silhouette], list[Message]]:
    """The photos as they are; whether left and right are exchanged is asked and not decided."""
    exchanged = [
        replace(silhouette, angle=_EXCHANGED.get(silhouette.angle, silhouette.angle))
        for silhouette in silhouettes
    ]
    if contradiction_cost(exchanged) < _CLEAR_GAIN * cost:
        return silhouettes, [Message("carving.doubt_exchanged")]
    return silhouettes, []


def _axes(silhouettes: Sequence[Silhouette]) -> int:
    return len({viewing_axis(silhouette.angle) for silhouette in silhouettes})

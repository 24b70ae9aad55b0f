"""Whether a model has its part's true size, so that AR may insist on it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from acr3d.db.models import ModelVersion, Part
from acr3d.foreign import Facts

MOST_DEVIATION = 5.0
"""Per cent by which a model's side may differ from the part's before the size counts as contradicted."""
_SIDES = ("width", "height", "depth")


class SizeState(StrEnum):
    """What is known of a model's size."""

    TRUE = "true"
    CONFIRMED = "confirmed"  # contradicted, but an admin said that it is right
    CONTRADICTED = "contradicted"  # the model's proportions are not those of the part's sizes
    NOT_APPLIED = "not_applied"  # the part's sizes were typed or changed after the model was made
    UNKNOWN = "unknown"  # the part has no size


@dataclass(frozen=True)
class Side:
    """One of width, height and depth: the part's and the model's in millimetres, as far as they are known."""

    name: str
    part_mm: float | None
    model_mm: float | None
    deviation_percent: float | None

    @property
    def is_off(self) -> bool:
        return self.deviation_percent is not None and abs(self.deviation_percent) > MOST_DEVIATION


@dataclass(frozen=True)
class TrueSize:
    """A model's size beside its part's."""

    state: SizeState
    sides: tuple[Side, ...]

    @property
    def is_true(self) -> bool:
        return self.state in (SizeState.TRUE, SizeState.CONFIRMED)


def true_size(version: ModelVersion, part: Part) -> TrueSize:
    """What is known of the size of `version`, a model of `part`, with the part's present sizes."""
    present = {"width": part.width_mm, "height": part.height_mm, "depth": part.depth_mm}
    placed = Facts(version.report).part("optimizer").part("placed")
    requested = placed.part("requested_mm")
    is_applied = present == {name: requested.number(name) for name in _SIDES}
    model_mm = dict(zip(_SIDES, placed.numbers("size_mm"), strict=False))
    off = placed.part("deviation_percent")
    sides = tuple(
        Side(name, present[name], model_mm.get(name), off.number(name) if is_applied else None)
        for name in _SIDES
    )
    return TrueSize(_state(version, present, sides, is_applied), sides)


def _state(
    version: ModelVersion, present: dict[str, float | None], sides: tuple[Side, ...], is_applied: bool
) -> SizeState:
    if not any(present.values()):
        return SizeState.UNKNOWN
    if not is_applied:
        return SizeState.NOT_APPLIED
    if not any(side.is_off for side in sides):
        return SizeState.TRUE
    return SizeState.CONFIRMED if version.size_confirmed_at else SizeState.CONTRADICTED

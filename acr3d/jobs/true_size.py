"""Whether a model has its part's true size, so that AR may insist on it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from acr3d.db.models import ModelVersion, Part
from acr3d.foreign import Facts

MOST_DEVIATION = 5.0
"""Per cent by which a model's side may differ from the part's before the size counts as contradicted."""
_MOST_PRINT_ERROR = 0.02
"""How far the sheet's scale may be off: a capture's own error is half of that."""
_SIDES = ("width", "height", "depth")


class SizeState(StrEnum):
    """What is known of a model's size."""

    TRUE = "true"
    MEASURED = "measured"  # the part has no sizes; a spin capture's sheet gave the model's
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
    sheet_printed_at: float | None = None
    """In per cent, if the part's sizes say that the capture sheet was not printed at 100 %."""

    @property
    def is_true(self) -> bool:
        return self.state in (SizeState.TRUE, SizeState.MEASURED, SizeState.CONFIRMED)


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
    state = _state(version, present, sides, is_applied)
    return TrueSize(state, sides, _printed_at(placed, state) if _is_measured(version) else None)


def _is_measured(version: ModelVersion) -> bool:
    """Whether the raw model came in true millimetres, from a spin capture."""
    return len(Facts(version.report).part("engine").numbers("size_mm")) == len(_SIDES)


def _printed_at(placed: Facts, state: SizeState) -> float | None:
    """All typed sides ask for one and the same other scale: then it is the sheet's, not a side's."""
    scale = placed.number("scale")
    is_one_factor = state is SizeState.TRUE and scale is not None and abs(scale - 1) > _MOST_PRINT_ERROR
    return 100 * scale if scale is not None and is_one_factor else None


def _state(
    version: ModelVersion, present: dict[str, float | None], sides: tuple[Side, ...], is_applied: bool
) -> SizeState:
    if not any(present.values()):
        return SizeState.MEASURED if is_applied and _is_measured(version) else SizeState.UNKNOWN
    if not is_applied:
        return SizeState.NOT_APPLIED
    if not any(side.is_off for side in sides):
        return SizeState.TRUE
    return SizeState.CONFIRMED if version.size_confirmed_at else SizeState.CONTRADICTED

"""What reading a capture found, for people: the child's report with bounds, and its notes in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from acr3d.foreign import Facts, number
from acr3d.messages.message import Message

_MOST_RINGS = 4
_MOST_NOTES = 10


@dataclass(frozen=True)
class Ring:
    """Cameras at one height around the part: their elevation, and arcs (from, to) that none saw; degrees."""

    elevation: float
    gaps: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Understood:
    """What was understood of a capture. `coverage`: 0 to 1, how much of the way round was seen."""

    sheet: str
    frames_seen: int
    frames_kept: int
    blurred: int
    cut_off: int
    without_sheet: int
    coverage: float
    rings: tuple[Ring, ...]
    notes: tuple[Message, ...]


def understood(report: dict[str, Any]) -> Understood:
    """The stored report of a child, whatever it holds."""
    facts = Facts(report)
    return Understood(
        sheet=facts.text("sheet"),
        frames_seen=facts.whole("frames_seen") or 0,
        frames_kept=facts.whole("frames_kept") or 0,
        blurred=facts.whole("blurred") or 0,
        cut_off=facts.whole("cut_off") or 0,
        without_sheet=facts.whole("without_sheet") or 0,
        coverage=min(max(facts.number("coverage") or 0.0, 0.0), 1.0),
        rings=tuple(_ring(one) for one in facts.objects("rings")[:_MOST_RINGS]),
        notes=tuple(Message.from_json(one, "") for one in facts.objects("notes")[:_MOST_NOTES]),
    )


def _ring(raw: Mapping[str, Any]) -> Ring:
    listed = raw.get("gaps")
    gaps = [gap for one in (listed if isinstance(listed, list) else []) if (gap := _gap(one)) is not None]
    return Ring(Facts(raw).number("elevation") or 0.0, tuple(gaps))


def _gap(raw: object) -> tuple[float, float] | None:
    """From 0 to 360 degrees, and to no less than that."""
    ends = [number(end) for end in raw] if isinstance(raw, list) and len(raw) == 2 else []
    if not ends or ends[0] is None or ends[1] is None:
        return None
    begin = ends[0] % 360
    return begin, begin + min(max(ends[1] - ends[0], 0.0), 360.0)

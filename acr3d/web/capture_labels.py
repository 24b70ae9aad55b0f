"""The words and the drawing for what was understood of a spin capture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, radians, sin

from flask_babel import gettext as _
from flask_babel import ngettext

from acr3d.captures.report import Ring, Understood
from acr3d.db.models import Capture

_RADII = (52, 38, 30, 24)  # of the drawing's rings, the lowest cameras outside


@dataclass(frozen=True)
class Arc:
    """A part of a ring as an SVG path; a gap is what no camera saw."""

    path: str
    is_gap: bool


def name(capture: Capture) -> str:
    """Which capture it is."""
    return str(_("The part as it lies") if capture.position == 1 else _("The part on another side"))


def coverage(found: Understood) -> str:
    """How much of the way round was seen."""
    return str(_("%(n)s%% of the way round was seen.", n=round(100 * found.coverage)))


def frame_counts(found: Understood) -> str:
    """How many frames are used, and why others are not."""
    sentences = [ngettext("%(num)s frame is used.", "%(num)s frames are used.", found.frames_kept)]
    if found.blurred:
        sentences.append(
            ngettext("%(num)s frame was blurred.", "%(num)s frames were blurred.", found.blurred)
        )
    if found.cut_off:
        sentences.append(
            ngettext("%(num)s frame cut the part off.", "%(num)s frames cut the part off.", found.cut_off)
        )
    if found.without_sheet:
        sentences.append(
            ngettext(
                "%(num)s frame did not show the sheet.",
                "%(num)s frames did not show the sheet.",
                found.without_sheet,
            )
        )
    return " ".join(sentences)


def ring_arcs(found: Understood) -> list[Arc]:
    """The rings as seen from above, the sheet's right edge at the right; gaps lie beside what was seen."""
    rings = sorted(found.rings, key=lambda ring: ring.elevation)
    return [arc for ring, radius in zip(rings, _RADII, strict=False) for arc in _arcs(ring, radius)]


def _arcs(ring: Ring, radius: float) -> Iterator[Arc]:
    gaps = sorted(ring.gaps)
    if not gaps:
        yield Arc(f"{_path(0, 180, radius)} {_path(180, 360, radius)}", is_gap=False)
        return
    for number, (begin, end) in enumerate(gaps):
        if end > begin:
            yield Arc(_path(begin, end, radius), is_gap=True)
        following = gaps[number + 1][0] if number + 1 < len(gaps) else gaps[0][0] + 360
        if following > end:
            yield Arc(_path(end, following, radius), is_gap=False)


def _path(begin: float, end: float, radius: float) -> str:
    """The arc between two angles, counter-clockwise from the right; SVG's y points down."""
    if end - begin > 359:
        middle = (begin + end) / 2
        return f"{_path(begin, middle, radius)} {_path(middle, end, radius)}"
    ends = [(radius * cos(radians(at)), -radius * sin(radians(at))) for at in (begin, end)]
    (x, y), (to_x, to_y) = ends
    return f"M{x:.1f} {y:.1f}A{radius} {radius} 0 {int(end - begin > 180)} 0 {to_x:.1f} {to_y:.1f}"

"""All photos of a part: each by itself, then together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from acr3d.photo_checks.child.best_photos import best_of
from acr3d.photo_checks.child.findings import Finding
from acr3d.photo_checks.child.inspect_photo import Look, look_at
from acr3d.photo_checks.child.label_consistency import Seen, disagreements

_DOUBTFUL = {"stranger", "swapped", "turned", "unlike", "contradicts"}
_UNUSABLE = {"unreadable", "cropped", "backdrop_busy", "no_part"}


def check(photos: Sequence[tuple[Path, str | None]]) -> dict[str, Any]:
    """The report on `photos`, (path, angle or None) in order; see `report`."""
    looks = [look_at(path, place) for place, (path, _angle) in enumerate(photos)]
    return report(looks, [angle for _path, angle in photos])


def report(looks: Sequence[Look], angles: Sequence[str | None]) -> dict[str, Any]:
    """What is to be said of photos that were looked at.

    {"photos": [{"findings", "outline", "size", "edge_width"}], "findings": [those across photos],
    "best": [places]}. An outline is an SVG path in a picture of `size` (width, height).
    """
    first = _first_of_each_angle(angles)
    together = _same_angle(angles) + disagreements(_seen(looks, first))
    flawed = {place for place, look in enumerate(looks) if look.findings}
    flawed |= {place for finding in together if finding.code in _DOUBTFUL for place in finding.concerned}
    usable = {place: angle for place, angle in first.items() if not _is_unusable(looks[place])}
    return {
        "photos": [_shown(look) for look in looks],
        "findings": [finding.as_json() for finding in together],
        "best": best_of(usable, flawed),
    }


def _first_of_each_angle(angles: Sequence[str | None]) -> dict[int, str]:
    """{place: angle} of the labelled photos; of those with one label the first."""
    first: dict[int, str] = {}
    for place, angle in enumerate(angles):
        if angle and angle not in first.values():
            first[place] = angle
    return first


def _same_angle(angles: Sequence[str | None]) -> list[Finding]:
    places: dict[str, list[int]] = {}
    for place, angle in enumerate(angles):
        if angle:
            places.setdefault(angle, []).append(place)
    return [Finding("same_angle", tuple(those)) for those in places.values() if len(those) > 1]


def _seen(looks: Sequence[Look], angles: dict[int, str]) -> list[Seen]:
    return [
        Seen(place, angle, look.shape, look.colours)
        for place, angle in angles.items()
        if (look := looks[place]).shape is not None and look.colours is not None
    ]


def _is_unusable(look: Look) -> bool:
    return any(finding.code in _UNUSABLE for finding in look.findings)


def _shown(look: Look) -> dict[str, Any]:
    return {
        "findings": [finding.as_json() for finding in look.findings],
        "outline": look.path,
        "size": list(look.size),
        "edge_width": round(look.edge_width, 2) if look.edge_width is not None else None,
    }

"""Check all photos of a part: each one by itself, then together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from acr3d.carving.cameras import AXIS_NAMES, viewing_axis
from acr3d.photo_checks.inspection.best_photos import best_photos
from acr3d.photo_checks.inspection.exchanged_sides import seem_exchanged
from acr3d.photo_checks.inspection.findings import PhotoFinding
from acr3d.photo_checks.inspection.inspect_photo import PhotoInspection, inspect_photo
from acr3d.photo_checks.inspection.known_outline import KnownOutline
from acr3d.photo_checks.inspection.label_consistency import LabelledView, find_label_problems

_LABEL_PROBLEMS = {"stranger", "swapped", "exchanged", "turned", "unlike", "contradicts"}
_UNUSABLE = {"unreadable", "cropped", "backdrop_busy", "no_part", "several_parts", "scattered", "person"}


def check_photos(
    photos: Sequence[tuple[Path, str | None]], known: Sequence[KnownOutline | None] = ()
) -> dict[str, Any]:
    """The report on `photos`, (path, angle or None) in order; see make_report.

    `known`: the outline of each, where it is known; in the same order, or empty.
    """
    outlines = known or [None] * len(photos)
    inspections = [inspect_photo(path, index, outlines[index]) for index, (path, _angle) in enumerate(photos)]
    return make_report(inspections, [angle for _path, angle in photos])


def make_report(inspections: Sequence[PhotoInspection], angles: Sequence[str | None]) -> dict[str, Any]:
    """The report on inspected photos.

    {"photos": [{"findings", "outline", "left_out", "marks", "size", "edge_width"}],
    "findings": [about several photos], "best": [indices]}. An outline is an SVG path in a picture of `size`
    (width, height).
    """
    first = _first_of_each_angle(angles)
    together = _same_angle(angles)
    together += find_label_problems(_labelled_views(inspections, first)) or _exchanged(inspections, first)
    together += _one_axis(first)
    flawed = {index for index, inspection in enumerate(inspections) if inspection.findings}
    flawed |= {
        index for finding in together if finding.code in _LABEL_PROBLEMS for index in finding.concerned
    }
    usable = {index: angle for index, angle in first.items() if not _is_unusable(inspections[index])}
    return {
        "photos": [_photo_report(inspection) for inspection in inspections],
        "findings": [finding.as_json() for finding in together],
        "best": best_photos(usable, flawed),
    }


def _first_of_each_angle(angles: Sequence[str | None]) -> dict[int, str]:
    """{index: angle} of the labelled photos; if several have the same label, of the first."""
    first: dict[int, str] = {}
    for index, angle in enumerate(angles):
        if angle and angle not in first.values():
            first[index] = angle
    return first


def _same_angle(angles: Sequence[str | None]) -> list[PhotoFinding]:
    indices: dict[str, list[int]] = {}
    for index, angle in enumerate(angles):
        if angle:
            indices.setdefault(angle, []).append(index)
    return [PhotoFinding("same_angle", tuple(those)) for those in indices.values() if len(those) > 1]


def _labelled_views(inspections: Sequence[PhotoInspection], angles: dict[int, str]) -> list[LabelledView]:
    return [
        LabelledView(index, angle, inspection.silhouette, inspection.colours)
        for index, angle in angles.items()
        if (inspection := inspections[index]).silhouette is not None and inspection.colours is not None
    ]


def _one_axis(angles: dict[int, str]) -> list[PhotoFinding]:
    """All photos, if they look along one axis, so that the part's size along it is never seen."""
    axes = {viewing_axis(angle) for angle in angles.values()}
    if len(angles) < 2 or len(axes) > 1:
        return []
    return [PhotoFinding("one_axis", tuple(angles), {"axis": AXIS_NAMES[axes.pop()]})]


def _exchanged(inspections: Sequence[PhotoInspection], angles: dict[int, str]) -> list[PhotoFinding]:
    """The photos from left and right, if their labels seem to be exchanged."""
    squares = {angle: inspections[index].square for index, angle in angles.items()}
    if not seem_exchanged({angle: square for angle, square in squares.items() if square is not None}):
        return []
    both = tuple(index for index, angle in angles.items() if angle in ("left", "right"))
    return [PhotoFinding("exchanged", both)]


def _is_unusable(inspection: PhotoInspection) -> bool:
    return any(finding.code in _UNUSABLE for finding in inspection.findings)


def _photo_report(inspection: PhotoInspection) -> dict[str, Any]:
    return {
        "findings": [finding.as_json() for finding in inspection.findings],
        "outline": inspection.outline_path,
        "left_out": list(inspection.left_out),
        "marks": list(inspection.marks),
        "size": list(inspection.size),
        "edge_width": round(inspection.edge_width, 2) if inspection.edge_width is not None else None,
    }

"""The review of a model before it is published: beside its photos, from the same sides."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue

from acr3d.db.models import ANGLES, Job, ModelVersion, PartImage
from acr3d.foreign import Facts
from acr3d.jobs import publishing, queries
from acr3d.jobs.ordered_photos import photo_rows
from acr3d.parts import parts
from acr3d.parts.angles import angle_name
from acr3d.parts.photos import images_of
from acr3d.photo_checks.results import PartOutline, check_result
from acr3d.storage.index import media_url
from acr3d.web.labels import report_facts

bp = Blueprint("review", __name__)
_MOST_SIDES = len(ANGLES)


@dataclass(frozen=True)
class Square:
    """Where a side's square picture lies in the photo, in the photo's pixels, and its place in the strip."""

    left: float
    top: float
    size: float
    place: int


@dataclass(frozen=True)
class ReviewedSide:
    """A photo, and the model from the same side if there is a picture of it.

    `agreement` is that of the two outlines, in per cent.
    """

    angle: str
    photo: PartImage
    agreement: int | None
    model: Square | None


@bp.get("/versions/<version_id>/review")
def show(version_id: str) -> ResponseReturnValue:
    version = queries.version_by_id(version_id)
    part, job = parts.part_by_id(version.part_id), queries.job_by_id(version.job_id)
    images = images_of(part.id)
    sides = reviewed_sides(version, job, check_result(part, images).outlines)
    g.viewer_page = True
    return render_template(
        "admin/review.html",
        version=version,
        part=part,
        job=job,
        images=images,
        sides=sides,
        strip=strip_facts(version),
        unseen=[angle_name(angle) for angle in ANGLES if angle not in {side.angle for side in sides}],
        doubt=publishing.doubtful_agreement(version),
    )


def strip_facts(version: ModelVersion) -> dict[str, Any] | None:
    """The picture of the model's sides: URL, number of squares, and their side in pixels."""
    strip = report_facts(version, "poster").part("strip")
    count, square = len(strip.texts("sides")), strip.whole("square")
    if not version.sides_path or not square or not 0 < count <= _MOST_SIDES:
        return None
    return {"url": media_url(version.sides_path), "count": count, "square": square}


def reviewed_sides(version: ModelVersion, job: Job, outlines: dict[str, PartOutline]) -> list[ReviewedSide]:
    """The photos from which the model was made, in their order."""
    agreement = report_facts(version, "agreement").part("sides")
    strip = report_facts(version, "poster").part("strip")
    drawn = strip.texts("sides") if strip_facts(version) else []
    rows, found = photo_rows(job), []
    for described in map(Facts, job.selected_image_metadata):
        photo, angle = rows.get(described.text("id")), described.text("angle")
        if photo is None or not photo.storage_path or angle not in ANGLES:
            continue
        share = agreement.number(angle)
        square = None
        if angle in drawn:
            fill = strip.number("fill") or 1.0
            square = _square(photo, outlines.get(photo.id), fill, drawn.index(angle))
        found.append(ReviewedSide(angle, photo, None if share is None else round(100 * share), square))
    return found


def _square(photo: PartImage, outline: PartOutline | None, fill: float, place: int) -> Square:
    """The square in which the model covers the part's outline; without one, the middle of the photo."""
    width, height = photo.width_px or 1, photo.height_px or 1
    left, top, right, bottom = 0.0, 0.0, float(width), float(height)
    numbers = [float(one) for one in re.findall(r"-?\d+", outline.path)] if outline else []
    if outline and len(numbers) > 3:
        scale = width / outline.width
        left, right = scale * min(numbers[::2]), scale * max(numbers[::2])
        top, bottom = scale * min(numbers[1::2]), scale * max(numbers[1::2])
    size = max(right - left, bottom - top) / fill
    return Square((left + right - size) / 2, (top + bottom - size) / 2, size, place)

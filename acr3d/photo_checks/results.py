"""The result of a part's photo check, as pages and the API show it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask_babel import gettext as _

from acr3d.db.models import Part, PartImage, PhotoCheck
from acr3d.parts.angles import angle_name
from acr3d.parts.same_photos import SamePhoto, same_photos
from acr3d.photo_checks import queue
from acr3d.photo_checks.advice import advice_sentence, left_out_name, listed, network_note

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Advice:
    """`code` names the finding for programs, `images` are the photos concerned, `sentence` is for people.

    `exchange`: the angles of `images`, by the photo's ID, that would put it right; empty if unknown.
    """

    code: str
    images: list[PartImage]
    sentence: str
    exchange: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PartOutline:
    """The part's outline in a photo: an SVG path in a picture of this size.

    `left_out` names what else stands out, for programs; `left_out_names` for people.
    """

    path: str
    width: int
    height: int
    left_out: tuple[str, ...] = ()

    @property
    def left_out_names(self) -> str:
        return listed([left_out_name(one) for one in self.left_out])


@dataclass(frozen=True)
class PhotoMarks:
    """Boxes (left, top, width, height) around what is wrong in a photo, in a picture of this size."""

    boxes: list[tuple[float, float, float, float]]
    width: int
    height: int


@dataclass(frozen=True)
class PhotoCheckResult:
    """`state` is "none" (no photos), "waiting", "checked", or "unknown" when the check could not run."""

    state: str
    advice: list[Advice] = field(default_factory=list)
    outlines: dict[str, PartOutline] = field(default_factory=dict)
    marks: dict[str, PhotoMarks] = field(default_factory=dict)
    best: list[PartImage] = field(default_factory=list)
    checked: PhotoCheck | None = None
    note: str | None = None
    """Why this server found the outlines less well than it could."""

    def about(self, image: PartImage) -> list[Advice]:
        return [one for one in self.advice if image in one.images]


def check_result(part: Part, images: Sequence[PartImage]) -> PhotoCheckResult:
    """What is known about these photos of the part, in the reader's language."""
    result = _check_result(part, images)
    twice = sorted(same_photos(images), key=lambda one: one.image.display_order)
    same = [_same_photo(one, images) for one in twice]
    return replace(result, advice=[*same, *result.advice]) if same else result


def _same_photo(same: SamePhoto, order: Sequence[PartImage]) -> Advice:
    name = _photo_name(same.image, order)
    if same.other in order:
        sentence = _(
            "%(photo)s is the same picture as %(other)s. A model needs different sides: replace one of them.",
            photo=name,
            other=_photo_name(same.other, order),
        )
        return Advice("same_photo", [same.image, same.other], str(sentence))
    sentence = _(
        "%(photo)s is also a photo of the part “%(name)s” (%(sku)s). Check that it belongs to this part.",
        photo=name,
        name=same.part.name,
        sku=same.part.sku,
    )
    return Advice("photo_of_other_part", [same.image], str(sentence))


def _check_result(part: Part, images: Sequence[PartImage]) -> PhotoCheckResult:
    row = queue.found_for(part, images)
    if row is not None and "photos" in row.report:
        try:
            return _checked(row, queue.report_order(images), images)
        except (KeyError, IndexError, TypeError, ValueError):  # the report of an earlier version, say
            log.warning("photo_check.odd_report part=%s", part.id)
    if part.check_due_at is not None and images:
        return PhotoCheckResult("waiting")
    return PhotoCheckResult("unknown" if any(image.storage_path for image in images) else "none")


def _checked(row: PhotoCheck, places: list[PartImage], order: Sequence[PartImage]) -> PhotoCheckResult:
    """`places` are the photos in the report's order, `order` in the page's."""
    photos = row.report["photos"]
    findings = [finding for photo in photos for finding in photo["findings"]] + row.report["findings"]
    advice = [_advice(finding, places, order) for finding in findings]
    advice.sort(key=lambda one: min(list(order).index(image) for image in one.images))
    outlines = {
        image.id: _outline(photo) for image, photo in zip(places, photos, strict=True) if photo["outline"]
    }
    marks = {image.id: _marks(photo) for image, photo in zip(places, photos, strict=True) if photo["marks"]}
    best = [places[place] for place in row.report["best"]]
    return PhotoCheckResult(
        "checked", advice, outlines, marks, best, row, network_note(row.report.get("network"))
    )


def _outline(photo: dict[str, Any]) -> PartOutline:
    width, height = photo["size"]
    return PartOutline(photo["outline"], width, height, tuple(photo["left_out"]))


def _marks(photo: dict[str, Any]) -> PhotoMarks:
    width, height = photo["size"]
    boxes = [
        (left * width, top * height, (right - left) * width, (bottom - top) * height)
        for left, top, right, bottom in photo["marks"]
    ]
    return PhotoMarks(boxes, width, height)


def _advice(finding: dict[str, Any], places: list[PartImage], order: Sequence[PartImage]) -> Advice:
    images = [places[place] for place in finding["photos"]]
    names = [_photo_name(image, order) for image in images]
    others = [_photo_name(places[place], order) for place in finding.get("or", ())]
    code = finding["code"]
    exchange = _exchanged(images) if code in ("exchanged", "swapped") and not others else {}
    return Advice(code, images, advice_sentence(finding, names, others), exchange)


def _exchanged(images: Sequence[PartImage]) -> dict[str, str]:
    """The angles of the two photos, each for the other."""
    one, other = images
    return {one.id: other.angle_label or "", other.id: one.angle_label or ""}


def _photo_name(image: PartImage, order: Sequence[PartImage]) -> str:
    """How people find the photo: its number on the page and the side it shows."""
    number = list(order).index(image) + 1
    if not image.angle_label:
        return str(_("Photo %(n)s", n=number))
    return str(_("Photo %(n)s (%(side)s)", n=number, side=angle_name(image.angle_label)))

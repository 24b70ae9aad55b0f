"""What the check of a part's photos found, for pages and the API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _

from acr3d.db.models import Part, PartImage, PhotoCheck
from acr3d.photo_checks import queue
from acr3d.photo_checks.advice import advice
from acr3d.web.health import poller_problem
from acr3d.web.labels import angle_name


@dataclass(frozen=True)
class Finding:
    """`code`: a word for programs; `images`: whom it concerns; `sentence`: for people."""

    code: str
    images: list[PartImage]
    sentence: str


@dataclass(frozen=True)
class Outline:
    """An SVG path in a picture of this size."""

    path: str
    width: int
    height: int


@dataclass(frozen=True)
class Preflight:
    """`state`: "none" (no photos), "waiting", "checked", or "unknown" when nobody could look."""

    state: str
    found: list[Finding] = field(default_factory=list)
    outlines: dict[str, Outline] = field(default_factory=dict)
    best: list[PartImage] = field(default_factory=list)
    checked: PhotoCheck | None = None

    @property
    def is_coming(self) -> bool:
        """Whether it is worth asking again soon."""
        return self.state == "waiting" and poller_problem() is None

    def about(self, image: PartImage) -> list[Finding]:
        return [finding for finding in self.found if image in finding.images]


def preflight_of(part: Part, images: Sequence[PartImage]) -> Preflight:
    """What is known about these photos of the part, in the reader's language."""
    row = queue.found_for(part, images)
    if row is not None and "photos" in row.report:
        return _told(row, queue.report_order(images), images)
    if part.check_due_at is not None and images:
        return Preflight("waiting")
    return Preflight("unknown" if any(image.storage_path for image in images) else "none")


def _told(row: PhotoCheck, places: list[PartImage], order: Sequence[PartImage]) -> Preflight:
    raw = [finding for photo in row.report["photos"] for finding in photo["findings"]]
    found = [_told_one(finding, places, order) for finding in (*raw, *row.report["findings"])]
    outlines = {
        image.id: Outline(photo["outline"], *photo["size"])
        for image, photo in zip(places, row.report["photos"], strict=True)
        if photo["outline"]
    }
    best = [places[place] for place in row.report["best"]]
    found.sort(key=lambda finding: min(list(order).index(image) for image in finding.images))
    return Preflight("checked", found, outlines, best, row)


def _told_one(finding: dict[str, Any], places: list[PartImage], order: Sequence[PartImage]) -> Finding:
    images = [places[place] for place in finding["photos"]]
    names = [_photo_name(image, order) for image in images]
    others = [_photo_name(places[place], order) for place in finding.get("or", ())]
    return Finding(finding["code"], images, advice(finding, names, others))


def _photo_name(image: PartImage, order: Sequence[PartImage]) -> str:
    """How people find the photo: its number on the page and the side it is said to show."""
    number = list(order).index(image) + 1
    if not image.angle_label:
        return str(_("Photo %(n)s", n=number))
    return str(_("Photo %(n)s (%(side)s)", n=number, side=angle_name(image.angle_label)))

"""What a part needs next on its way to customers: the one primary action of its page, and the checklist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from flask_babel import gettext as _
from flask_babel import ngettext

from acr3d.captures.captures import Position
from acr3d.db.models import Job, ModelVersion, Part, PartImage
from acr3d.db.states import VersionState
from acr3d.engines.registry import engines
from acr3d.jobs.service import FEWEST
from acr3d.jobs.true_size import true_size

_SIDES = ("width_mm", "height_mm", "depth_mm")


class Step(StrEnum):
    """What a person does next."""

    ADD_PHOTOS = "add_photos"
    LABEL = "label"
    GENERATE = "generate"
    SPIN = "spin"
    WAIT = "wait"
    REVIEW = "review"
    PUBLISH = "publish"
    DONE = "done"


@dataclass(frozen=True)
class Check:
    """A line of the checklist; `place` is the id of the element where it is put right."""

    sentence: str
    is_done: bool
    place: str
    is_optional: bool = False


def next_step(
    part: Part,
    images: Sequence[PartImage],
    job: Job | None,
    versions: Sequence[ModelVersion],
    positions: Sequence[Position],
) -> Step:
    """The part's next step. `versions` are newest first."""
    if job is not None and job.is_live:
        return Step.WAIT
    if waiting_version(versions):
        return Step.REVIEW
    if published_version(versions):
        return Step.DONE if part.is_published else Step.PUBLISH
    if engines().capture_positions() and any(one.number == 1 and one.ready for one in positions):
        return Step.SPIN
    usable = [image for image in images if image.storage_path]
    if len(usable) < FEWEST:
        return Step.ADD_PHOTOS
    return Step.LABEL if len(_sides(usable)) < FEWEST else Step.GENERATE


def waiting_version(versions: Sequence[ModelVersion]) -> ModelVersion | None:
    """The model that waits for review: the newest one that was not rejected, if nobody has decided yet."""
    newest = next((one for one in versions if one.state != VersionState.REJECTED), None)
    return newest if newest is not None and newest.state == VersionState.DRAFT else None


def published_version(versions: Sequence[ModelVersion]) -> ModelVersion | None:
    """The model that customers see."""
    return next((one for one in versions if one.state == VersionState.PUBLISHED), None)


def shown_version(versions: Sequence[ModelVersion]) -> ModelVersion | None:
    """The model that the page shows first: what customers see, else the newest that was not rejected."""
    newest = next((one for one in versions if one.state != VersionState.REJECTED), None)
    return published_version(versions) or newest


def unlabelled(images: Sequence[PartImage]) -> PartImage | None:
    """The first photo without a side."""
    return next((image for image in images if image.storage_path and not image.angle_label), None)


def checklist(part: Part, images: Sequence[PartImage], versions: Sequence[ModelVersion]) -> list[Check]:
    """What customers would miss, in the order in which it is usually done."""
    usable = [image for image in images if image.storage_path]
    sides = len(_sides(usable))
    shown = shown_version(versions)
    has_size = _has_size(part) or (shown is not None and true_size(shown, part).is_true)
    return [
        Check(ngettext("%(num)s photo", "%(num)s photos", len(usable)), bool(usable), "photos-title"),
        Check(
            ngettext("%(num)s side labelled", "%(num)s sides labelled", sides),
            sides >= FEWEST,
            "slots",
        ),
        _model_check(versions),
        Check(
            _("Sizes, so that AR is true") if has_size else _("No sizes: AR will not be true"),
            has_size,
            "width_mm",
            is_optional=True,
        ),
        Check(_("Description"), bool(part.description), "description", is_optional=True),
        Check(
            _("Customers can see the part") if part.is_published else _("Customers cannot see the part yet"),
            part.is_published,
            "is_published",
        ),
    ]


def _model_check(versions: Sequence[ModelVersion]) -> Check:
    waiting, published = waiting_version(versions), published_version(versions)
    if published:
        sentence = _("Model %(n)s is published", n=published.number)
    elif waiting:
        sentence = _("Model %(n)s waits for review", n=waiting.number)
    else:
        sentence = _("No 3D model yet")
    return Check(sentence, published is not None, "model-title")


def _sides(images: Sequence[PartImage]) -> set[str]:
    return {image.angle_label for image in images if image.angle_label}


def _has_size(part: Part) -> bool:
    return any(getattr(part, side) for side in _SIDES)

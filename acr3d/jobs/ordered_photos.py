"""The photos of a job as an engine gets them: with the part's outlines, if the engine takes them."""

from __future__ import annotations

from datetime import timedelta
from functools import reduce
from typing import Any

from sqlalchemy import select

from acr3d import settings
from acr3d.db.extensions import db
from acr3d.db.models import Job, Part, PartImage, PhotoOutline
from acr3d.db.types import is_id, utc_now
from acr3d.engines.errors import InputRefused
from acr3d.messages.message import Message
from acr3d.outlines.method import COLOUR, method
from acr3d.outlines.stored import is_known, outlines_of
from acr3d.storage.blobs import storage

_LONGEST_WAIT = timedelta(minutes=3)


def waits_for_outlines(job: Job) -> bool:
    """Whether outlines of the job's photos are still being looked for.

    Only a network is waited for, and not forever: by colour, the built-in engine finds outlines itself.
    """
    wanted = method(settings.current())
    if wanted == COLOUR or utc_now() - job.created_at > _LONGEST_WAIT:
        return False
    part = db.session.get(Part, job.part_id)
    if part is None or part.check_due_at is None:
        return False
    return not all(is_known(image, wanted) for image in photo_rows(job).values())


def ordered_photos(job: Job) -> list[tuple[bytes, str]]:
    """The job's (JPEG, side) pairs: clean photos where the order was made with them."""
    return [
        (_read(one.get("clean_path") or one["storage_path"]), one["angle"])
        for one in job.selected_image_metadata
    ]


def ordered_with_outlines(job: Job) -> tuple[list[tuple[bytes, str]], list[bytes | None]]:
    """The job's (JPEG, side) pairs, and the outline in each as a PNG, or None where it is not known.

    Leaves out what was added to the chosen photos but shows no part as a whole. Raises InputRefused, which
    names every chosen photo that shows none.
    """
    outlines = job_outlines(job)
    refused = [one for one in job.selected_image_metadata if _refusal(outlines.get(one["id"]))]
    chosen = [one for one in refused if one["id"] in job.selected_image_ids]
    if chosen:
        raise InputRefused(_reasons(chosen, outlines))
    kept = [one for one in job.selected_image_metadata if one not in refused]
    photos = [(_read(one["storage_path"]), one["angle"]) for one in kept]
    return photos, [_mask(outlines.get(one["id"])) for one in kept]


def job_outlines(job: Job) -> dict[str, PhotoOutline]:
    """The outlines that are known of the job's photos, by the photo's id."""
    images = photo_rows(job)
    known = outlines_of(job.part_id, {image.sha256 for image in images.values() if image.sha256})
    return {image_id: known[image.sha256] for image_id, image in images.items() if image.sha256 in known}


def photo_rows(job: Job) -> dict[str, PartImage]:
    """The rows of the job's photos, deleted ones included, by id."""
    ids = [one["id"] for one in job.selected_image_metadata if is_id(one["id"])]
    rows = db.session.scalars(select(PartImage).where(PartImage.id.in_(ids)))
    return {image.id: image for image in rows}


def _refusal(outline: PhotoOutline | None) -> str | None:
    return outline.refusal if outline is not None else None


def _mask(outline: PhotoOutline | None) -> bytes | None:
    return _read(outline.storage_path) if outline is not None and outline.storage_path else None


def _reasons(refused: list[dict[str, Any]], outlines: dict[str, PhotoOutline]) -> Message:
    each = [
        Message(f"outline.{outlines[one['id']].refusal}", side=Message(f"angle.{one['angle']}"))
        for one in refused
    ]
    together = reduce(lambda first, second: Message("sentences", first=first, second=second), each)
    return Message("outline.nothing_ordered", reasons=together)


def _read(key: str) -> bytes:
    with storage().open(key) as file:
        return file.read()

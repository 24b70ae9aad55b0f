"""The JSON of parts, photos, jobs and versions. It contains no secrets and no signed URLs."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from acr3d.captures.captures import files_of
from acr3d.captures.report import understood
from acr3d.clean_photos.shown import clean_of, shown
from acr3d.db.models import Capture, CaptureFile, Job, ModelVersion, Part, PartImage, UnmatchedTask
from acr3d.messages.wording import worded
from acr3d.parts import fields
from acr3d.parts.categories import Node
from acr3d.parts.search import Page
from acr3d.photo_checks.results import Advice, PhotoCheckResult
from acr3d.storage.index import media_url
from acr3d.web.templating import absolute

_PART = (
    *("id", "primary_image_url", "model_status", "model_3d_url", "model_generation_error", "revision"),
    *("model_generation_started_at", "model_generation_completed_at", "created_at", "updated_at"),
)
_IMAGE = (
    *(
        "id",
        "part_id",
        "display_order",
        "angle_label",
        "alt_text",
        "caption",
        "background",
        "width_px",
        "height_px",
    ),
    *("file_size_bytes", "mime_type", "is_selected_for_3d_generation", "created_at", "updated_at"),
)
_JOB = (
    *("id", "part_id", "status", "progress", "engine", "meshy_task_id", "generation_config"),
    *(
        "error_message",
        "input_refused",
        "waiting_for",
        "retry_count",
        "estimated_credits",
        "meshy_credits_used",
    ),
    *("optimized_from",),
    *("raw_file_size_bytes", "optimized_file_size_bytes", "polycount", "optimized_model_url"),
    *("processing_duration_seconds", "optimization_duration_seconds"),
    *("created_at", "submitted_at", "processing_started_at", "completed_at"),
)
_CAPTURE = ("id", "part_id", "position", "state", "created_at")
_VERSION = (
    *("id", "part_id", "job_id", "number", "state", "file_size_bytes", "polycount", "sha256"),
    *("created_at", "published_at"),
)
_UNMATCHED_TASK = (
    *("id", "task_id", "status", "progress", "texture_prompt", "consumed_credits", "made_at", "expires_at"),
    *("maybe_job_id", "first_seen_at", "seen_at"),
)


def part_json(part: Part) -> dict[str, Any]:
    """A part for staff."""
    error = {"model_generation_error": worded(part.generation_error) or None}
    return fields.values_of(part) | _columns(part, _PART) | error


def category_json(node: Node) -> dict[str, Any]:
    """A category with the number of parts in it and below it."""
    category = node.category
    return {
        "id": category.id,
        "path": category.path,
        "name": category.name,
        "level": node.level,
        "count": node.count,
    }


def page_json(page: Page, parts: list[dict[str, Any]]) -> dict[str, Any]:
    """A page of a list. `next` is the cursor of the page behind it."""
    return {
        "parts": parts,
        "next": str(page.next) if page.next else None,
        "total": page.total,
        "has_more_than_total": page.is_more,
    }


def deleted_part_json(part: Part) -> dict[str, Any]:
    """A part in the bin."""
    return _columns(part, ("id", "sku", "name", "deleted_at", "revision"))


def image_json(image: PartImage) -> dict[str, Any]:
    """A photo as it was taken, and `clean_url`, its clean photo, null without one.

    `url` is null until a photo of an earlier database is imported.
    """
    clean = clean_of(image)
    return _columns(image, _IMAGE) | {
        "url": image.image_url if image.storage_path else None,
        "thumbnail_url": media_url(image.thumbnail_path) if image.thumbnail_path else None,
        "clean_url": media_url(clean.storage_path or "") if clean else None,
    }


def photo_check_json(photo_check: PhotoCheckResult) -> dict[str, Any]:
    """The result of the part's photo check; `best` are the ids of the photos to choose."""
    return {
        "state": photo_check.state,
        "findings": [_advice_json(one) for one in photo_check.advice],
        "best": [image.id for image in photo_check.best],
        "checked_at": _plain(photo_check.checked.checked_at) if photo_check.checked else None,
    }


def image_check_json(image: PartImage, photo_check: PhotoCheckResult) -> dict[str, Any]:
    """What the check found in one photo. The outline is an SVG path in a picture of `width` × `height`."""
    outline = photo_check.outlines.get(image.id)
    drawn = asdict(outline) if outline else None
    about = [_advice_json(one) for one in photo_check.about(image)]
    return {"preflight": {"findings": about, "outline": drawn}}


def _advice_json(advice: Advice) -> dict[str, Any]:
    images = [image.id for image in advice.images]
    return {"code": advice.code, "images": images, "message": advice.sentence}


def job_json(job: Job) -> dict[str, Any]:
    """A job. `selected` are the photos it was started with, `captures` the spin captures instead of them."""
    chosen = [{"id": one["id"], "angle": one["angle"]} for one in job.selected_image_metadata]
    said = {"error_message": worded(job.error) or None, "waiting_for": worded(job.waiting) or None}
    return _columns(job, _JOB) | said | {"selected": chosen, "captures": job.capture_ids}


def capture_json(capture: Capture) -> dict[str, Any]:
    """A spin capture with its files; `understood` is what reading it found, null before that."""
    found = understood(capture.report) if capture.report else None
    said = [worded(note) for note in found.notes] if found else []
    return _columns(capture, _CAPTURE) | {
        "error_message": worded(capture.problem) or None,
        "understood": asdict(replace(found, notes=())) | {"notes": said} if found else None,
        "files": [capture_file_json(file) for file in files_of(capture.id)],
    }


def capture_file_json(file: CaptureFile) -> dict[str, Any]:
    """A file of a capture; `offset` is where the next piece begins."""
    return {"id": file.id, "name": file.name, "size": file.size_bytes, "offset": file.received_bytes}


def version_json(version: ModelVersion) -> dict[str, Any]:
    """A model version. `url` is public once the version is, or was, published."""
    return _columns(version, _VERSION) | {"url": media_url(version.storage_path)}


def unmatched_task_json(row: UnmatchedTask) -> dict[str, Any]:
    """A task at Meshy that nobody can place; `preview_url` is ours, and null without a picture."""
    preview = f"/api/admin/orphans/{row.id}/preview" if row.has_thumbnail else None
    return _columns(row, _UNMATCHED_TASK) | {"preview_url": preview}


def dismissed_task_json(row: UnmatchedTask) -> dict[str, Any]:
    """The same of one that was put aside or deleted, with when and by whom."""
    by = {"dismissed_by": row.dismisser.email if row.dismisser else None}
    return unmatched_task_json(row) | _columns(row, ("dismissed_at", "is_deleted")) | by


def public_part_json(part: Part, images: list[PartImage]) -> dict[str, Any]:
    """A published part for everyone. URLs are absolute, for use on other sites."""
    return {
        **fields.public_values_of(part),
        "url": absolute(f"/parts/{quote(part.sku, safe='')}"),
        "photos": [_public_photo(image) for image in images if image.storage_path],
        "model_3d_url": absolute(part.model_3d_url) if part.model_3d_url else None,
    }


def _public_photo(image: PartImage) -> dict[str, Any]:
    seen = shown(image)
    thumbnail = absolute(media_url(seen.thumbnail_path)) if seen.thumbnail_path else None
    files = {"url": absolute(seen.url), "thumbnail_url": thumbnail}
    size = {"width_px": seen.width_px, "height_px": seen.height_px}
    return files | size | _columns(image, ("angle_label", "alt_text", "caption"))


def _columns(
    row: Part | PartImage | Job | ModelVersion | UnmatchedTask | Capture, names: tuple[str, ...]
) -> dict[str, Any]:
    return {name: _plain(getattr(row, name)) for name in names}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value

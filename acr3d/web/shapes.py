"""What the JSON API says about parts, photos and jobs. No secret and no signed address is among it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from acr3d.gallery import media_url
from acr3d.models import Job, Part, PartImage
from acr3d.web.pages import absolute

_PART = (
    *("id", "sku", "name", "description", "width_mm", "height_mm", "depth_mm", "is_published"),
    *("primary_image_url", "model_status", "model_3d_url", "model_generation_error", "revision"),
    *("model_generation_started_at", "model_generation_completed_at", "created_at", "updated_at"),
)
_IMAGE = (
    *("id", "part_id", "display_order", "angle_label", "alt_text", "caption", "width_px", "height_px"),
    *("file_size_bytes", "mime_type", "is_selected_for_3d_generation", "created_at", "updated_at"),
)
_JOB = (
    *("id", "part_id", "status", "progress", "engine", "meshy_task_id", "generation_config"),
    *("error_message", "waiting_for", "retry_count", "estimated_credits", "meshy_credits_used"),
    *("raw_file_size_bytes", "optimized_file_size_bytes", "polycount", "optimized_model_url"),
    *("processing_duration_seconds", "optimization_duration_seconds"),
    *("created_at", "submitted_at", "processing_started_at", "completed_at"),
)


def part_shape(part: Part) -> dict[str, Any]:
    """A part as its admins see it."""
    return _columns(part, _PART)


def image_shape(image: PartImage) -> dict[str, Any]:
    """A photo; `url` is null while it is still to be imported from where an earlier database found it."""
    return _columns(image, _IMAGE) | {
        "url": image.image_url if image.storage_path else None,
        "thumbnail_url": media_url(image.thumbnail_path) if image.thumbnail_path else None,
    }


def job_shape(job: Job) -> dict[str, Any]:
    """A job; `selected` are the photos it was started with."""
    chosen = [{"id": one["id"], "angle": one["angle"]} for one in job.selected_image_metadata]
    return _columns(job, _JOB) | {"selected": chosen}


def public_part_shape(part: Part, images: list[PartImage]) -> dict[str, Any]:
    """A published part as anybody may see it; addresses are absolute, for machines elsewhere."""
    return {
        "sku": part.sku,
        "name": part.name,
        "description": part.description,
        "size_mm": {"width": part.width_mm, "height": part.height_mm, "depth": part.depth_mm},
        "url": absolute(f"/parts/{quote(part.sku, safe='')}"),
        "photos": [_public_photo(image) for image in images if image.storage_path],
        "model_3d_url": absolute(part.model_3d_url) if part.model_3d_url else None,
    }


def _public_photo(image: PartImage) -> dict[str, Any]:
    facts = _columns(image, ("width_px", "height_px", "angle_label", "alt_text", "caption"))
    thumbnail = absolute(media_url(image.thumbnail_path)) if image.thumbnail_path else None
    return {"url": absolute(image.image_url), "thumbnail_url": thumbnail} | facts


def _columns(row: Part | PartImage | Job, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _plain(getattr(row, name)) for name in names}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value

"""What people read for the words that the code uses: sides, statuses, sizes."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import format_decimal
from flask_babel import gettext as _

from acr3d.generation.states import Status, VersionState
from acr3d.models import ANGLES, Job, ModelVersion, Part, PartImage
from acr3d.photos import THUMBNAIL_SIDE


@dataclass(frozen=True)
class Badge:
    """A status for people: never by colour alone."""

    word: str
    icon: str
    tone: str


def job_badge(job: Job | None) -> Badge:
    """How a job stands; None is a part without any."""
    if job is None:
        return Badge(_("No model"), "circle-dashed", "")
    word = status_name(job.status)
    if job.status == Status.PROCESSING:
        word = _("Processing %(n)s %%", n=job.progress)
    icon, tone = {
        Status.PENDING: ("clock", "is-waiting"),
        Status.SUBMITTED: ("loader-circle", "is-working"),
        Status.PROCESSING: ("loader-circle", "is-working"),
        Status.OPTIMIZING: ("loader-circle", "is-working"),
        Status.COMPLETE: ("circle-check", "is-good"),
        Status.FAILED: ("circle-alert", "is-bad"),
        Status.CANCELED: ("ban", ""),
    }[Status(job.status)]
    return Badge(word, icon, tone)


def status_name(status: str) -> str:
    """The word for a job's status."""
    names: dict[Status, str] = {
        Status.PENDING: _("Queued"),
        Status.SUBMITTED: _("Submitted"),
        Status.PROCESSING: _("Processing"),
        Status.OPTIMIZING: _("Optimizing"),
        Status.COMPLETE: _("Complete"),
        Status.FAILED: _("Failed"),
        Status.CANCELED: _("Canceled"),
    }
    return names[Status(status)]


def version_badge(state: str) -> Badge:
    """What a model version is to customers."""
    return {
        VersionState.DRAFT: Badge(_("Waits for you"), "clock", "is-waiting"),
        VersionState.PUBLISHED: Badge(_("Published"), "circle-check", "is-good"),
        VersionState.SUPERSEDED: Badge(_("Earlier"), "history", ""),
        VersionState.REJECTED: Badge(_("Rejected"), "ban", ""),
    }[VersionState(state)]


def engine_name(engine: str) -> str:
    return str(_("Built-in engine")) if engine == "builtin" else "Meshy"


def angles() -> list[tuple[str, str]]:
    """Every side with its name."""
    return [(angle, angle_name(angle)) for angle in ANGLES]


def file_size(size: int) -> str:
    """Bytes in the unit that people use for them."""
    if size < 100_000:
        return f"{format_decimal(round(size / 1000, 1))} kB"
    return f"{format_decimal(round(size / 1_000_000, 1))} MB"


def angle_name(angle: str | None) -> str:
    """The name of a side for people."""
    names = {
        "front": _("Front"),
        "back": _("Back"),
        "left": _("Left"),
        "right": _("Right"),
        "top": _("Top"),
        "bottom": _("Bottom"),
    }
    return names[angle] if angle else ""


def photo_alt(image: PartImage, part: Part) -> str:
    """What the photo shows: the words somebody gave it, else the part's name and the side."""
    if image.alt_text:
        return image.alt_text
    return f"{part.name}, {angle_name(image.angle_label).lower()}" if image.angle_label else part.name


def model_alt(part: Part) -> str:
    """What the 3D model shows, for those who cannot see it."""
    known = [f"{value:.10g}" for value in (part.width_mm, part.height_mm, part.depth_mm) if value]
    if not known:
        return str(_("3D model of %(name)s", name=part.name))
    return str(_("3D model of %(name)s, %(size)s mm", name=part.name, size=" × ".join(known)))


def is_true_size(version: ModelVersion, part: Part) -> bool:
    """Whether the model was brought to the very sizes that the part has now, so that AR may keep to it."""
    placed = version.report.get("optimizer", {}).get("placed")
    present = {"width": part.width_mm, "height": part.height_mm, "depth": part.depth_mm}
    return bool(placed) and placed["requested_mm"] == present


def size_name(part: Part) -> str:
    """The words for the sizes that are known, in the order in which they are shown."""
    known = ((part.width_mm, _("Width")), (part.height_mm, _("Height")), (part.depth_mm, _("Depth")))
    return " × ".join(word for value, word in known if value)


def thumbnail_width(image: PartImage) -> int:
    """The width of the photo's thumbnail in pixels."""
    if not image.width_px or not image.height_px:
        return THUMBNAIL_SIDE
    longest = max(image.width_px, image.height_px)
    return round(image.width_px * min(1, THUMBNAIL_SIDE / longest))

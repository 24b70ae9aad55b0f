"""What people read for the words that the code uses: sides, statuses, sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from acr3d.db.models import MODEL_LEVELS, Job, ModelVersion, Part, PartImage
from acr3d.db.states import ModelStatus, Status, VersionState
from acr3d.parts.angles import angle_name
from acr3d.photos.sanitize import THUMBNAIL_SIDE


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


def part_badge(part: Part, job: Job | None) -> Badge:
    """How a part stands: its newest job, but a canceled one leaves it with the model it has, or none."""
    if job is None or job.status != Status.CANCELED:
        return job_badge(job)
    if part.model_status == ModelStatus.COMPLETE:
        return Badge(_("Complete"), "circle-check", "is-good")
    return job_badge(None)


def cancel_question(job: Job, order_is_open: bool) -> str:
    """What to ask before a job is canceled: what it does to the credits, as far as anybody can know before.

    `order_is_open`: an order went out, and no answer has come.
    """
    credits = job.estimated_credits
    if not credits:
        return str(_("Cancel this job? It costs nothing."))
    if job.status == Status.SUBMITTED:
        sentence = _(
            "Cancel this job? If Meshy has not begun, its credits (about %(n)s) are given back; "
            "if it has, they are spent."
        )
    elif job.status == Status.PENDING and not order_is_open:
        return str(_("Cancel this job? Nothing has been sent yet, so nothing is spent."))
    elif job.status == Status.PENDING:
        sentence = _(
            "Cancel this job? It is not known yet whether Meshy took the order; if it did and has begun, "
            "about %(n)s credits are spent."
        )
    else:
        sentence = _("Cancel this job? Meshy has begun: its credits (about %(n)s) are spent all the same.")
    return str(sentence % {"n": credits})


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


def task_badge(status: str, progress: int) -> Badge:
    """How a task stands at its engine."""
    known = {
        "SUCCEEDED": Badge(_("Finished"), "circle-check", "is-good"),
        "FAILED": Badge(_("Failed"), "circle-alert", "is-bad"),
        "PENDING": Badge(_("Waits at Meshy"), "clock", "is-waiting"),
    }
    return known.get(status) or Badge(_("At work, %(n)s %%", n=progress), "loader-circle", "is-working")


def levels() -> list[tuple[str, str]]:
    """What a model can be made for, each with its words."""
    words = {
        "web": _("Every screen (all triangles, small maps)"),
        "light": _("Phones (at most 30,000 triangles)"),
        "full": _("Full quality (every pixel of the maps)"),
    }
    return [(level, words[level]) for level in MODEL_LEVELS]


def level_name(level: str) -> str:
    """The short word for what a model is made for."""
    words = {"web": _("every screen"), "light": _("phones"), "full": _("full quality")}
    return str(words[level])


def turns() -> list[tuple[str, str]]:
    """How a model can be turned by right angles, as somebody sees it who stands before its front."""
    return [
        ("x90", _("tip forwards")),
        ("x270", _("tip backwards")),
        ("y270", _("turn left")),
        ("y90", _("turn right")),
        ("y180", _("turn round")),
        ("z90", _("roll left")),
        ("z270", _("roll right")),
        ("x180", _("upside down")),
    ]


def turned_further(version: ModelVersion, step: str) -> str:
    """The turn of the raw model that turns this version once more."""
    placed = version.report.get("optimizer", {}).get("placed") or {}
    return ",".join(filter(None, (placed.get("turned"), step)))


def engine_name(engine: str) -> str:
    return str(_("Built-in engine")) if engine == "builtin" else "Meshy"


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


def agreement(version: ModelVersion) -> str | None:
    """How far the model's outlines agree with its photos', in a sentence; None where that is not known."""
    report = version.report.get("agreement")
    if not report:
        return None
    share, sides = round(100 * report["all"]), report["sides"]
    side = min(sides, key=lambda name: sides[name])
    least = round(100 * sides[side])
    if least >= share:
        return str(_("Agrees %(share)s %% with its photos.", share=share))
    words = {"share": share, "side": angle_name(side).lower(), "least": least}
    return str(_("Agrees %(share)s %% with its photos; %(side)s %(least)s %%.", **words))


def is_front_unsure(version: ModelVersion) -> bool:
    """Whether photos could not tell which side of the model is its front."""
    report = version.report.get("agreement") or {}
    return not report.get("is_sure", True)


def starting_camera(version: ModelVersion) -> dict[str, str]:
    """<model-viewer>'s attributes for the camera that the poster was drawn with; empty without a poster."""
    camera: dict[str, str] = (version.report.get("poster") or {}).get("camera", {})
    return camera


def is_true_size(version: ModelVersion, part: Part) -> bool:
    """Whether the model was brought to the very sizes that the part has now, so that AR may keep to it."""
    placed = version.report.get("optimizer", {}).get("placed")
    present = {"width": part.width_mm, "height": part.height_mm, "depth": part.depth_mm}
    return bool(placed) and any(present.values()) and placed["requested_mm"] == present


def guesses(version: ModelVersion) -> list[str]:
    """What the built-in engine assumed about the shape past the photos' outlines."""
    known = version.report.get("engine") or {}
    return [_guess(guess) for guess in known.get("guesses", [])]


def _guess(guess: dict[str, Any]) -> str:
    axis = {"width": _("width"), "height": _("height"), "depth": _("depth")}[guess["axis"]]
    if guess["kind"] == "mirrored":
        return str(_("Guessed: the same on both sides of the middle of its %(axis)s.", axis=axis))
    if guess["whole"]:
        return str(_("Guessed: round about its %(axis)s.", axis=axis))
    return str(_("Guessed: partly round about its %(axis)s.", axis=axis))


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

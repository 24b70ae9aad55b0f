"""The statuses that people read: a word, an icon and a tone for each."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from acr3d.db.models import BatchPart, Job, Part
from acr3d.db.states import BatchState, CaptureState, ImportState, ModelStatus, Status, VersionState


@dataclass(frozen=True)
class Badge:
    """A status for people: a word and an icon, never a colour alone."""

    word: str
    icon: str
    tone: str


def job_badge(job: Job | None) -> Badge:
    """The status of a job; None means that the part has no job."""
    if job is None:
        return Badge(_("No model"), "circle-dashed", "")
    if job.status == Status.COMPLETE and job.waits_for_review:
        return Badge(_("Waiting for review"), "eye", "is-waiting")
    word = status_name(job.status)
    if job.status == Status.PROCESSING:
        word = _("Processing %(n)s%%", n=job.progress)
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


def import_badge(state: str) -> Badge:
    """The state of an import."""
    word, icon, tone = {
        ImportState.PREVIEWING: (_("Preview is being made"), "loader-circle", "is-working"),
        ImportState.READY: (_("Waiting for you"), "eye", "is-waiting"),
        ImportState.REFUSED: (_("Cannot be read"), "circle-alert", "is-bad"),
        ImportState.IMPORTING: (_("Importing"), "loader-circle", "is-working"),
        ImportState.STOPPED: (_("Stopped"), "ban", "is-waiting"),
        ImportState.DONE: (_("Imported"), "circle-check", "is-good"),
        ImportState.UNDOING: (_("Undoing"), "loader-circle", "is-working"),
        ImportState.UNDONE: (_("Undone"), "undo-2", ""),
    }[ImportState(state)]
    return Badge(word, icon, tone)


def batch_badge(state: str) -> Badge:
    """The state of an order for many models."""
    word, icon, tone = {
        BatchState.READY: (_("Waiting for you"), "eye", "is-waiting"),
        BatchState.RUNNING: (_("Being ordered"), "loader-circle", "is-working"),
        BatchState.PAUSED: (_("Paused"), "ban", "is-waiting"),
        BatchState.STOPPED: (_("Stopped"), "ban", ""),
        BatchState.DONE: (_("All ordered"), "circle-check", "is-good"),
    }[BatchState(state)]
    return Badge(str(word), icon, tone)


def batch_part_badge(part: BatchPart, job: Job | None) -> Badge:
    """What became of a part of such an order."""
    if job is not None:
        return job_badge(job)
    word, icon, tone = {
        "waiting": (_("Waiting"), "circle-dashed", ""),
        "left_out": (_("Left out"), "circle-alert", "is-bad"),
    }[part.state]
    return Badge(str(word), icon, tone)


def capture_badge(state: str) -> Badge:
    """The state of a spin capture."""
    word, icon, tone = {
        CaptureState.UPLOADING: (_("Upload not finished"), "clock", "is-waiting"),
        CaptureState.WAITING: (_("Waiting to be read"), "clock", "is-waiting"),
        CaptureState.READING: (_("Being read"), "loader-circle", "is-working"),
        CaptureState.READY: (_("Ready"), "circle-check", "is-good"),
        CaptureState.REFUSED: (_("Cannot be used"), "circle-alert", "is-bad"),
    }[CaptureState(state)]
    return Badge(str(word), icon, tone)


def row_badge(action: str) -> Badge:
    """What a row does, or did."""
    word, icon, tone = {
        "new": (_("New"), "plus", "is-good"),
        "changed": (_("Changed"), "refresh-cw", "is-working"),
        "unchanged": (_("Unchanged"), "circle-dashed", ""),
        "refused": (_("Refused"), "circle-alert", "is-bad"),
    }[action]
    return Badge(word, icon, tone)


def photo_badge(action: str, is_done: bool) -> Badge:
    """What becomes of a photo of an import, or became."""
    word, icon, tone = {
        "added": (_("Added") if is_done else _("To be added"), "plus", "is-good"),
        "present": (_("Present already"), "circle-dashed", ""),
        "unclear": (_("Which part?"), "triangle-alert", "is-waiting"),
        "refused": (_("Left out"), "circle-alert", "is-bad"),
    }[action]
    return Badge(str(word), icon, tone)


def part_badge(part: Part, job: Job | None) -> Badge:
    """The status of a part: that of its newest job, except that a canceled job leaves the part as it was."""
    if job is None or job.status != Status.CANCELED:
        return job_badge(job)
    if part.model_status == ModelStatus.COMPLETE:
        return Badge(_("Complete"), "circle-check", "is-good")
    return job_badge(None)


def status_name(status: str) -> str:
    """The word for a job's status."""
    names: dict[Status, str] = {
        Status.PENDING: _("Queued"),
        Status.SUBMITTED: _("Sent to the engine"),
        Status.PROCESSING: _("Processing"),
        Status.OPTIMIZING: _("Optimizing"),
        Status.COMPLETE: _("Complete"),
        Status.FAILED: _("Failed"),
        Status.CANCELED: _("Canceled"),
    }
    return names[Status(status)]


def version_badge(state: str) -> Badge:
    """The state of a model version."""
    return {
        VersionState.DRAFT: Badge(_("Waiting for review"), "eye", "is-waiting"),
        VersionState.PUBLISHED: Badge(_("Published"), "circle-check", "is-good"),
        VersionState.SUPERSEDED: Badge(_("Replaced"), "history", ""),
        VersionState.REJECTED: Badge(_("Rejected"), "ban", ""),
    }[VersionState(state)]


def task_badge(status: str, progress: int) -> Badge:
    """The status of a task at its engine."""
    known = {
        "SUCCEEDED": Badge(_("Finished"), "circle-check", "is-good"),
        "FAILED": Badge(_("Failed"), "circle-alert", "is-bad"),
        "PENDING": Badge(_("Queued"), "clock", "is-waiting"),
    }
    return known.get(status) or Badge(_("In progress, %(n)s%%", n=progress), "loader-circle", "is-working")

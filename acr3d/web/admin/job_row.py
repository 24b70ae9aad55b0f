"""A job in a list: how long it took, and the one thing that a person can do with it there."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for
from flask_babel import format_decimal
from flask_babel import gettext as _

from acr3d.db.models import Job
from acr3d.db.states import Status
from acr3d.db.types import utc_now
from acr3d.jobs import service
from acr3d.orders.attempts import attempt_in_flight
from acr3d.web import labels


@dataclass(frozen=True)
class Action:
    """A button of the row. `question` is asked before, empty if there is nothing to ask."""

    address: str
    word: str
    icon: str
    question: str = ""
    pays: bool = False


def job_action(job: Job) -> Action | None:
    """Cancel for a live job, Try again for a failed one that may be tried again."""
    if job.is_live:
        question = labels.cancel_question(job, attempt_in_flight(job.id) is not None)
        return Action(url_for("admin.jobs.cancel", job_id=job.id), _("Cancel job"), "x", question)
    if job.status != Status.FAILED or job.input_refused or job.part.deleted_at is not None:
        return None
    address, word = url_for("admin.jobs.retry", job_id=job.id), _("Try again")
    if not service.retry_pays(job):
        return Action(address, word, "refresh-cw")
    question = _("Order a new model for about %(n)s credits?", n=job.estimated_credits)
    return Action(address, word, "refresh-cw", question, pays=True)


def job_duration(job: Job) -> str:
    """How long the job took from its order to its end, or has taken so far."""
    seconds = ((job.completed_at or utc_now()) - job.created_at).total_seconds()
    if seconds < 90:
        return str(_("%(n)s s", n=format_decimal(round(max(seconds, 0)))))
    if seconds < 90 * 60:
        return str(_("%(n)s min", n=format_decimal(round(seconds / 60))))
    return str(_("%(n)s h", n=format_decimal(round(seconds / 3600, 1))))

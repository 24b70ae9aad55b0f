"""Jobs and model versions for staff: the list, and the actions on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from acr3d.db.models import Job, ModelVersion, User
from acr3d.db.states import Status
from acr3d.errors import InvalidInput, Missing
from acr3d.jobs import queries, reoptimize, review, service
from acr3d.jobs.repeat_orders import AlreadyOrdered
from acr3d.orders import unmatched, unmatched_actions
from acr3d.parts.photos import images_of
from acr3d.web import labels
from acr3d.web.access import actor
from acr3d.web.admin import live_updates
from acr3d.web.admin.generate_form import GenerateForm
from acr3d.web.badges import status_name
from acr3d.web.templating import page_number

bp = Blueprint("jobs", __name__)


@bp.get("/jobs")
def index() -> ResponseReturnValue:
    names = [(word.value, status_name(word)) for word in Status]
    return render_template(
        "admin/jobs.html",
        statuses=names,
        ambiguous_jobs=queries.jobs_by_ids(unmatched.jobs_to_resolve()),
        unmatched_total=unmatched_actions.count_tasks(),
        **_listed(),
    )


@bp.get("/jobs/live")
def live() -> ResponseReturnValue:
    """What differs from `rev` on this page of the list: the list, or only states of its jobs."""
    context, seen = _listed(), request.args.get("rev", "")
    revision = live_updates.jobs_revision(context["page"].jobs)
    if seen == revision:
        return "", 204
    is_moved = live_updates.is_moved(seen, revision)
    return render_template("admin/_live_jobs.html", is_moved=is_moved, **context)


def _listed() -> dict[str, Any]:
    """The page of jobs that the address asks for."""
    status = request.args.get("status")
    status = status if status in set(Status) else None
    page = queries.recent_jobs(page_number(), status)
    return {"page": page, "status": status, "live_jobs": live_updates.jobs_poller(page, status)}


@bp.post("/parts/<part_id>/generate")
def generate(part_id: str) -> ResponseReturnValue:
    form = GenerateForm.read(request.form, images_of(part_id))
    try:
        again = request.form.get("again") == "yes"
        service.start(part_id, form.selected(), form.engine, form.config(), actor(), again=again)
    except Missing:
        raise
    except AlreadyOrdered as question:
        return panels(part_id, str(question), replace(form, asks_again=True)), question.status
    except InvalidInput as problem:
        return panels(part_id, str(problem), form), problem.status
    return panels(part_id, said=_("The job has started."))


@bp.post("/jobs/<job_id>/cancel")
def cancel(job_id: str) -> ResponseReturnValue:
    return _changed(job_id, service.cancel, _("The job was canceled."))


@bp.post("/jobs/<job_id>/retry")
def retry(job_id: str) -> ResponseReturnValue:
    pay = request.form.get("pay") == "yes"
    return _changed(job_id, partial(service.retry, pay=pay), _("The job was started again."))


@bp.post("/versions/<version_id>/optimize")
def optimize_again(version_id: str) -> ResponseReturnValue:
    version = queries.version_by_id(version_id)
    turn = labels.turned_further(version, request.form.get("turn", ""))

    def change(job_id: str, user: User) -> Job:
        return reoptimize.optimize_again(job_id, request.form.get("level", ""), turn, user)

    return _changed(version.job_id, change, _("The model is being optimized again."))


@bp.post("/versions/<version_id>/publish")
def publish(version_id: str) -> ResponseReturnValue:
    version = review.publish(version_id, actor())
    return _decided(version, _("Customers now see model %(n)s.", n=version.number))


@bp.post("/versions/<version_id>/reject")
def reject(version_id: str) -> ResponseReturnValue:
    version = review.reject(version_id, actor(), request.form.get("reason", ""))
    return _decided(version, _("Model %(n)s was rejected.", n=version.number))


@bp.post("/versions/<version_id>/confirm-size")
def confirm_size(version_id: str) -> ResponseReturnValue:
    version = review.confirm_size(version_id, actor())
    return panels(version.part_id, said=_("AR shows model %(n)s in this size.", n=version.number))


@bp.get("/versions/<version_id>/preview")
def preview(version_id: str) -> ResponseReturnValue:
    version = queries.version_by_id(version_id)
    context = live_updates.part_context(version.part_id)
    return render_template("admin/_model_preview.html", shown=version, **context)


def _decided(version: ModelVersion, said: str) -> ResponseReturnValue:
    """The part's panels; for the page of the review, the way back to the part."""
    if request.form.get("back") != "part":
        return panels(version.part_id, said=said)
    flash(said, "success")
    return "", 204, {"HX-Redirect": url_for("admin.parts.show", part_id=version.part_id)}


def _changed(job_id: str, change: Callable[[str, User], Job], said: str) -> ResponseReturnValue:
    part_id = queries.job_by_id(job_id).part_id
    if request.form.get("back") == "list":
        change(job_id, actor())
        return _row(job_id, said)
    try:
        change(job_id, actor())
    except Missing:
        raise
    except InvalidInput as problem:
        return panels(part_id, str(problem)), problem.status
    return panels(part_id, said=said)


def _row(job_id: str, said: str) -> ResponseReturnValue:
    """A job in a list after its button was pressed; the page then asks at once what else has moved."""
    [job] = queries.jobs_by_ids([job_id])
    row = render_template("admin/_job_row_changed.html", job=job, said=said)
    return row, {"HX-Trigger-After-Settle": "moved"}


def panels(part_id: str, problem: str | None = None, form: GenerateForm | None = None, said: str = "") -> str:
    """The model panel, and out of band everything else that depends on the newest job."""
    context = live_updates.part_context(part_id)
    form = form or GenerateForm.suggested(context["images"], context["photo_check"].best)
    return render_template(
        "admin/_model_panel_update.html", generate_form=form, model_problem=problem, said=said, **context
    )

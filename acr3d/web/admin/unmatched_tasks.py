"""Pages about unmatched tasks: those that no job follows, and those of an order whose answer was lost."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from acr3d.db.models import Job
from acr3d.db.types import utc_now
from acr3d.errors import Conflict
from acr3d.jobs import queries
from acr3d.orders import resolve, unmatched, unmatched_actions
from acr3d.parts import parts, sku_lookup
from acr3d.parts.photos import images_of
from acr3d.web.access import actor

bp = Blueprint("unmatched_tasks", __name__)


@bp.get("/unmatched-tasks")
def index() -> ResponseReturnValue:
    rows = unmatched_actions.current_tasks()
    ordered_for = unmatched.ordering_jobs([row.task_id for row in rows])
    maybe_for = [row.maybe_job_id for row in rows if row.maybe_job_id]
    jobs = queries.jobs_by_ids([*ordered_for.values(), *maybe_for])
    return render_template(
        "admin/unmatched_tasks.html",
        rows=rows,
        ordered_for=ordered_for,
        jobs={job.id: job for job in jobs},
        dismissed=unmatched_actions.dismissed_tasks(),
        now=utc_now(),
        seen_at=max((row.seen_at for row in rows), default=None),
        has_account=unmatched_actions.has_account(),
        can_delete=unmatched_actions.can_delete,
    )


@bp.get("/orphans")
def moved() -> ResponseReturnValue:
    """The page's earlier address."""
    return redirect(url_for("admin.unmatched_tasks.index"), 301)


@bp.post("/unmatched-tasks/refresh")
def refresh() -> ResponseReturnValue:
    unmatched_actions.refresh()
    return _to(url_for("admin.unmatched_tasks.index"))


@bp.post("/unmatched-tasks/<unmatched_id>/attach")
def attach(unmatched_id: str) -> ResponseReturnValue:
    part = sku_lookup.part_with_sku(request.form.get("sku", ""))
    unmatched_actions.attach(unmatched_id, part.id, actor())
    flash(
        _("The task now belongs to this part. Its model will be downloaded and wait here for you."), "success"
    )
    return _to(url_for("admin.parts.show", part_id=part.id))


@bp.post("/unmatched-tasks/<unmatched_id>/delete")
def delete(unmatched_id: str) -> ResponseReturnValue:
    unmatched_actions.delete(unmatched_id, actor())
    flash(_("The task was deleted at Meshy."), "success")
    return _to(url_for("admin.unmatched_tasks.index"))


@bp.post("/unmatched-tasks/<unmatched_id>/dismiss")
def dismiss(unmatched_id: str) -> ResponseReturnValue:
    unmatched_actions.dismiss(unmatched_id, actor())
    flash(_("The task is dismissed. Nothing has changed at Meshy."), "success")
    return _to(url_for("admin.unmatched_tasks.index"))


@bp.post("/unmatched-tasks/<unmatched_id>/restore")
def restore(unmatched_id: str) -> ResponseReturnValue:
    unmatched_actions.restore(unmatched_id, actor())
    flash(_("The task is listed again."), "success")
    return _to(url_for("admin.unmatched_tasks.index"))


@bp.get("/jobs/<job_id>/candidates")
def candidates(job_id: str) -> ResponseReturnValue:
    job = queries.job_by_id(job_id)
    part = parts.part_by_id(job.part_id)
    try:
        found = resolve.ambiguous_order(job_id)
    except Conflict as nothing:
        return render_template("admin/choose_task.html", job=job, part=part, nothing=nothing)
    photos = [image for image in images_of(part.id) if image.id in job.selected_image_ids]
    return render_template("admin/choose_task.html", job=job, part=part, found=found, photos=photos)


@bp.post("/jobs/<job_id>/adopt")
def choose_task(job_id: str) -> ResponseReturnValue:
    job = resolve.choose_task(job_id, request.form.get("task_id", ""), actor())
    flash(_("The task now belongs to this job, which follows it."), "success")
    return _to(url_for("admin.parts.show", part_id=job.part_id))


@bp.post("/jobs/<job_id>/order-anew")
def order_again(job_id: str) -> ResponseReturnValue:
    form = request.form
    job = resolve.order_again(job_id, form.get("attempt_id", ""), form.getlist("task_id"), actor())
    flash(_("The model is ordered again."), "success")
    return _to(url_for("admin.parts.show", part_id=job.part_id))


def jobs_to_resolve() -> list[Job]:
    """The jobs whose task an admin has to choose, for the pages that link to them."""
    return queries.jobs_by_ids(unmatched.jobs_to_resolve())


def _to(address: str) -> ResponseReturnValue:
    """Done; htmx is told where to go. A refusal is a sentence in the corner, and the page stays."""
    return "", 204, {"HX-Redirect": address}

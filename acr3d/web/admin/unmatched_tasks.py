"""Tasks at Meshy that nobody can place, for staff: those of no job, and those a person must choose from."""

from __future__ import annotations

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from acr3d.db.models import Job
from acr3d.db.types import utc_now
from acr3d.errors import Conflict
from acr3d.jobs import queries
from acr3d.orders import resolve, unmatched, unmatched_actions
from acr3d.parts import parts
from acr3d.parts.photos import images_of
from acr3d.web.access import actor

bp = Blueprint("orphans", __name__)


@bp.get("/orphans")
def index() -> ResponseReturnValue:
    rows = unmatched_actions.present()
    ordered_for = unmatched.ordered_for([row.task_id for row in rows])
    maybe_for = [row.maybe_job_id for row in rows if row.maybe_job_id]
    jobs = queries.jobs_by_ids([*ordered_for.values(), *maybe_for])
    return render_template(
        "admin/orphans.html",
        rows=rows,
        ordered_for=ordered_for,
        jobs={job.id: job for job in jobs},
        set_aside=unmatched_actions.set_aside(),
        now=utc_now(),
        seen_at=max((row.seen_at for row in rows), default=None),
        has_account=unmatched_actions.has_account(),
    )


@bp.post("/orphans/refresh")
def refresh() -> ResponseReturnValue:
    unmatched_actions.refresh()
    return _to(url_for("admin.orphans.index"))


@bp.post("/orphans/<stray_id>/attach")
def attach(stray_id: str) -> ResponseReturnValue:
    part = parts.part_with_sku(request.form.get("sku", ""))
    unmatched_actions.attach(stray_id, part.id, actor())
    flash(_("The task is this part's now. Its model is fetched and will wait here for you."), "success")
    return _to(url_for("admin.parts.show", part_id=part.id))


@bp.post("/orphans/<stray_id>/delete")
def delete(stray_id: str) -> ResponseReturnValue:
    unmatched_actions.delete(stray_id, actor())
    flash(_("The task is deleted at Meshy."), "success")
    return _to(url_for("admin.orphans.index"))


@bp.post("/orphans/<stray_id>/dismiss")
def dismiss(stray_id: str) -> ResponseReturnValue:
    unmatched_actions.dismiss(stray_id, actor())
    flash(_("The task is put aside. At Meshy nothing has changed."), "success")
    return _to(url_for("admin.orphans.index"))


@bp.post("/orphans/<stray_id>/bring-back")
def bring_back(stray_id: str) -> ResponseReturnValue:
    unmatched_actions.bring_back(stray_id, actor())
    flash(_("The task is listed again."), "success")
    return _to(url_for("admin.orphans.index"))


@bp.get("/jobs/<job_id>/candidates")
def candidates(job_id: str) -> ResponseReturnValue:
    job = queries.job_by_id(job_id)
    part = parts.part_by_id(job.part_id)
    try:
        found = resolve.undecided(job_id)
    except Conflict as nothing:
        return render_template("admin/candidates.html", job=job, part=part, nothing=nothing)
    photos = [image for image in images_of(part.id) if image.id in job.selected_image_ids]
    return render_template("admin/candidates.html", job=job, part=part, found=found, photos=photos)


@bp.post("/jobs/<job_id>/adopt")
def adopt(job_id: str) -> ResponseReturnValue:
    job = resolve.adopt(job_id, request.form.get("task_id", ""), actor())
    flash(_("The task is this job's now, and is followed."), "success")
    return _to(url_for("admin.parts.show", part_id=job.part_id))


@bp.post("/jobs/<job_id>/order-anew")
def order_anew(job_id: str) -> ResponseReturnValue:
    form = request.form
    job = resolve.order_anew(job_id, form.get("attempt_id", ""), form.getlist("task_id"), actor())
    flash(_("The model is ordered anew."), "success")
    return _to(url_for("admin.parts.show", part_id=job.part_id))


def undecided_jobs() -> list[Job]:
    """The jobs that wait for an admin's word, for the pages that lead there."""
    return queries.jobs_by_ids(unmatched.awaiting_decision())


def _to(address: str) -> ResponseReturnValue:
    """Done; htmx is told where to go. A refusal is a sentence in the corner, and the page stays."""
    return "", 204, {"HX-Redirect": address}

"""What staff see first, and what all their pages share. Who may come in is decided in `guards`."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from acr3d import catalogue, settings
from acr3d.generation import lookups, notices
from acr3d.generation.states import Status
from acr3d.web import admin_credits, admin_jobs, admin_orphans, admin_parts, admin_photos
from acr3d.web.findings import findings
from acr3d.web.guards import caller
from acr3d.web.health import poller_problem
from acr3d.web.live import jobs_poller

bp = Blueprint("admin", __name__, url_prefix="/admin")
for area in (admin_parts, admin_photos, admin_jobs, admin_orphans, admin_credits):
    bp.register_blueprint(area.bp)

_FEW = 5


@bp.context_processor
def _shared() -> dict[str, Any]:
    found = caller()
    return {
        "user": found.user if found else None,
        "may_change": bool(found and found.may_change),
        "poller_problem": poller_problem,
        "admin_notices": notices.for_admins,
        "has_credits": "meshy" in settings.current().engines,
        "findings": findings,
    }


@bp.get("/")
def overview() -> ResponseReturnValue:
    running = [job for job in lookups.recent_jobs().jobs if job.is_live]
    return render_template(
        "admin/overview.html",
        running=running,
        undecided=admin_orphans.undecided_jobs(),
        failed=_newest_failures(),
        expiring=lookups.about_to_expire(),
        parts_total=catalogue.search("", 1, published_only=False).total,
        live_jobs=jobs_poller(running),
        public_total=catalogue.search("", 1, published_only=True).total,
    )


def _newest_failures() -> list[Any]:
    """Failed jobs that nothing newer of the same part has made good."""
    failed = lookups.recent_jobs(status=Status.FAILED).jobs
    newest = lookups.newest_jobs([job.part_id for job in failed])
    open_ones = [job for job in failed if newest[job.part_id].id == job.id and job.part.deleted_at is None]
    return open_ones[:_FEW]

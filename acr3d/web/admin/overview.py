"""The overview for staff, and what all staff pages share. Access is decided in `web.access`."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from acr3d.accounts.rights import Right
from acr3d.billing import spending
from acr3d.captures import installed, limits
from acr3d.captures.report import understood
from acr3d.db.extensions import db
from acr3d.db.models import Job
from acr3d.db.states import Status
from acr3d.engines.registry import engines
from acr3d.jobs import publishing, queries
from acr3d.jobs.true_size import true_size
from acr3d.jobs.week import last_week
from acr3d.notices import listing
from acr3d.orders import admin_alerts
from acr3d.parts import angle_order
from acr3d.parts.filters import EVERY_PART, PUBLISHED, facets
from acr3d.shop import options
from acr3d.web import capture_labels
from acr3d.web.access import actor, caller
from acr3d.web.admin import (
    batches,
    bulk,
    capture_sheet,
    captures,
    categories,
    credits,
    downloads,
    engine_settings,
    exports,
    hotspots,
    imports,
    jobs,
    log,
    next_step,
    notices,
    parts,
    people,
    photos,
    review,
    shop_settings,
    unmatched_tasks,
)
from acr3d.web.admin.credit_chart import Chart, credit_chart
from acr3d.web.admin.job_row import job_action, job_duration
from acr3d.web.admin.live_updates import is_moved, overview_poller, overview_revision
from acr3d.web.admin.model_report import model_report
from acr3d.worker.condition import poller_problem

bp = Blueprint("admin", __name__, url_prefix="/admin")
for area in (
    batches,
    bulk,
    capture_sheet,
    captures,
    people,
    log,
    notices,
    parts,
    categories,
    imports,
    exports,
    photos,
    jobs,
    review,
    unmatched_tasks,
    credits,
    downloads,
    shop_settings,
    engine_settings,
    hotspots,
):
    bp.register_blueprint(area.bp)

_FEW = 5
_MOST_NOTICES = 100
_MOST_WAITING = 20


@bp.context_processor
def _shared() -> dict[str, Any]:
    found = caller()
    return {
        "user": found.user if found else None,
        "may_change": bool(found and found.may(Right.EDIT)),
        "may_manage": bool(found and found.may(Right.MANAGE)),
        "poller_problem": poller_problem,
        "admin_notices": admin_alerts.for_admins,
        "has_credits": bool(engines().paid()),
        "has_models": bool(engine_settings.with_models()),
        "job_action": job_action,
        "job_duration": job_duration,
        "model_report": model_report,
        "true_size": true_size,
        "understood": understood,
        "spin_installed": installed.is_installed(),
        "capture_limits": limits,
        "capture_positions": engines().capture_positions,
        "capture_labels": capture_labels,
        "next_step": next_step.next_step,
        "checklist": next_step.checklist,
        "unlabelled": next_step.unlabelled,
        "by_order": angle_order.by_order,
        "side_names": angle_order.side_names,
        "waiting_version": next_step.waiting_version,
        "shown_version": next_step.shown_version,
        "doubtful_agreement": publishing.doubtful_agreement,
    }


@bp.get("/")
def overview() -> ResponseReturnValue:
    running = queries.recent_jobs(live=True).jobs
    return render_template("admin/overview.html", **_context(running, overview_revision(running, actor())))


@bp.get("/live")
def overview_live() -> ResponseReturnValue:
    """What differs from `rev`: the whole overview, or only the states of the running jobs."""
    running, seen = queries.recent_jobs(live=True).jobs, request.args.get("rev", "")
    revision = overview_revision(running, actor())
    if seen == revision:
        return "", 204
    context = _context(running, revision)
    return render_template("admin/_live_overview.html", is_moved=is_moved(seen, revision), **context)


def _context(running: list[Job], revision: str) -> dict[str, Any]:
    counted = facets(None)
    paid = bool(engines().paid())
    return {
        "running": running,
        "told": listing.unseen(actor(), _MOST_NOTICES),
        "waiting": queries.waiting_for_review(_MOST_WAITING),
        "ambiguous_jobs": unmatched_tasks.jobs_to_resolve(),
        "failed": _newest_failures(),
        "expiring": queries.about_to_expire(),
        "parts_total": counted.count(EVERY_PART),
        "live_overview": overview_poller(running, revision),
        "week": last_week(),
        "chart": credit_chart() if paid else Chart(),
        "budget": options.current().monthly_budget if paid else 0,
        "counted": spending.counted(db.session()) if paid else 0,
        "public_total": counted.count(PUBLISHED),
    }


def _newest_failures() -> list[Any]:
    """Failed jobs that are the newest of their part."""
    failed = queries.recent_jobs(status=Status.FAILED).jobs
    newest = queries.newest_jobs([job.part_id for job in failed])
    unresolved = [job for job in failed if newest[job.part_id].id == job.id and job.part.deleted_at is None]
    return unresolved[:_FEW]

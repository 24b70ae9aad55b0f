"""Whether any poller works, as a sentence for people and health checks; and figures for admins."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select

from acr3d import settings
from acr3d.db import schema_revision
from acr3d.db.extensions import db
from acr3d.db.models import HAS_NEXT_STEP, Job
from acr3d.db.session import database_now
from acr3d.orders import admin_alerts
from acr3d.storage.blobs import storage
from acr3d.worker.heartbeat import count_alive, last_pass_at, patience


def poller_problem() -> str | None:
    """Why no jobs are being processed, as a sentence; None while a poller runs."""
    last, seconds = last_pass_at(), patience()
    if last is not None and database_now(db.session()) - last <= timedelta(seconds=seconds):
        return None
    if count_alive():
        return str(
            _("The job service is running but every pass fails, so jobs are waiting. See the server log.")
        )
    if last is None and settings.current().poller == "worker":
        command = "flask worker" if settings.current().workers == "procrastinate" else "flask jobs work"
        sentence = _("No job service is running, so jobs are waiting. Start it with “%(command)s”.")
        return str(sentence % {"command": command})
    if last is None:
        return str(_("The job service has not run yet, so jobs are waiting."))
    sentence = _("The job service has not run for more than %(n)s seconds, so jobs are waiting. Restart it.")
    return str(sentence % {"n": seconds})


def details() -> dict[str, Any]:
    """What admins read in the health check. Raises SQLAlchemyError."""
    config, now = settings.current(), database_now(db.session())
    last = last_pass_at()
    unfinished = select(Job.status, func.count()).where(HAS_NEXT_STEP).group_by(Job.status)
    is_newest = schema_revision.is_newest(schema_revision.revision_of(db.session.connection()))
    folders = {"instance": config.instance, "storage": config.storage_folder}
    return {
        "database": {"kind": db.engine.dialect.name, "schema_is_current": is_newest},
        "storage": storage().location,
        "disk_free_mb": {name: shutil.disk_usage(folder).free // 10**6 for name, folder in folders.items()},
        "pollers": count_alive(),
        "seconds_since_pass": round((now - last).total_seconds(), 1) if last else None,
        "unfinished_jobs": {row.status: row[1] for row in db.session.execute(unfinished)},
        "notices": admin_alerts.for_admins(),
    }

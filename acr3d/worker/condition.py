"""Whether any poller works, as a sentence for admins, health checks and `flask doctor`."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import gettext as _

from acr3d import settings
from acr3d.db.extensions import db
from acr3d.db.session import database_now
from acr3d.worker.heartbeat import count_alive, last_pass_at, patience


def poller_problem() -> str | None:
    """Why no jobs are being processed, as a sentence; None while a poller runs."""
    last, seconds = last_pass_at(), patience()
    if last is not None and database_now(db.session()) - last <= timedelta(seconds=seconds):
        return None
    if count_alive():
        return str(
            _("The job poller is running but every pass fails, so jobs are waiting. See the server log.")
        )
    if last is None and settings.current().poller == "worker":
        return str(_("No job poller is running, so jobs are waiting. Start it with “flask jobs work”."))
    if last is None:
        return str(_("The job poller has not run yet, so jobs are waiting."))
    sentence = _("The job poller has not run for more than %(n)s seconds, so jobs are waiting. Restart it.")
    return str(sentence % {"n": seconds})

"""Whether this process serves, and whether jobs are being moved: for supervisors and load balancers."""

from __future__ import annotations

import logging
from datetime import timedelta

from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError

from acr3d import settings
from acr3d.db.extensions import db
from acr3d.db.session import database_now
from acr3d.worker.heartbeat import count_alive, last_pass_at, patience

bp = Blueprint("health", __name__)
log = logging.getLogger(__name__)


@bp.after_request
def _always_fresh(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/livez")
def livez() -> ResponseReturnValue:
    return jsonify(status="ok", message="This process serves.")


@bp.get("/healthz")
def healthz() -> ResponseReturnValue:
    try:
        problem = poller_problem()
    except SQLAlchemyError as error:
        log.warning("healthz: the database does not answer (%s)", type(error).__name__)
        problem = "The database does not answer, so no page with parts can be shown."
    if problem:
        return jsonify(status="failing", message=problem), 503
    return jsonify(status="ok", message="The database answers and the poller runs.")


def poller_problem() -> str | None:
    """Why jobs do not move, as a sentence; None while a poller runs."""
    last, seconds = last_pass_at(), patience()
    if last is not None and database_now(db.session()) - last <= timedelta(seconds=seconds):
        return None
    if count_alive():
        return str(
            _("The poller runs, but comes through no look at the jobs, so they wait; its log tells why.")
        )
    if last is None and settings.current().poller == "worker":
        return str(_("No poller runs, so jobs wait. Start “flask jobs work”."))
    if last is None:
        return str(_("No poller has run yet, so jobs wait."))
    sentence = _("The poller has not run for more than %(n)s seconds, so jobs wait. Start it again.")
    return str(sentence % {"n": seconds})

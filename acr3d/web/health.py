"""Health checks for supervisors and load balancers: the process serves, and the job poller runs."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from acr3d.accounts.rights import Right
from acr3d.db.outage import report
from acr3d.web.access import reader
from acr3d.worker import condition
from acr3d.worker.condition import poller_problem

bp = Blueprint("health", __name__)


@bp.after_request
def _never_cache(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/livez")
def livez() -> ResponseReturnValue:
    return jsonify(status="ok", message="The server is running.")


@bp.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Whether the database answers and a poller runs; for admins also the figures behind it."""
    details: dict[str, Any] = {}
    try:
        problem = poller_problem()
        if (asking := reader()) and asking.may(Right.MANAGE):
            details = {"details": condition.details()}
    except SQLAlchemyError as error:
        report(error, "health check")
        problem = "The database is not responding, so no page with parts can be shown."
    if problem:
        return jsonify(status="failing", message=problem, **details), 503
    message = "The database is responding and the job poller is running."
    return jsonify(status="ok", message=message, **details)

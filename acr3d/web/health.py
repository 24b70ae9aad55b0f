"""Health checks for supervisors and load balancers: the process serves, and the job poller runs."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from acr3d.db.outage import report
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
    try:
        problem = poller_problem()
    except SQLAlchemyError as error:
        report(error, "health check")
        problem = "The database is not responding, so no page with parts can be shown."
    if problem:
        return jsonify(status="failing", message=problem), 503
    return jsonify(status="ok", message="The database is responding and the job poller is running.")

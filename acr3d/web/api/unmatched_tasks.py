"""The JSON API for unmatched tasks. Its addresses keep an earlier word for them: orphans."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue

from acr3d.errors import Conflict
from acr3d.jobs import queries
from acr3d.orders import resolve, unmatched_actions
from acr3d.web.access import actor
from acr3d.web.api import serializers
from acr3d.web.api.operation import Body, Operation, operation

bp = Blueprint("api_unmatched_tasks", __name__, url_prefix="/api/admin")


@bp.get("/jobs/<job_id>/candidates")
def candidates(job_id: str) -> ResponseReturnValue:
    """The tasks that the job's unanswered order, `attemptId`, could have made; none when there is nothing to
    decide."""
    queries.job_by_id(job_id)
    try:
        found = resolve.ambiguous_order(job_id)
    except Conflict:
        return jsonify(undecided=False, attemptId=None, candidates=[], othersWaiting=0)
    return jsonify(
        undecided=True,
        attemptId=found.attempt.id,
        candidates=[serializers.unmatched_task_json(row) for row in found.candidates],
        othersWaiting=found.others_waiting,
    )


@bp.post("/jobs/<job_id>/adopt")
@operation(Operation(Body({"taskId": str}, needed=("taskId",))))
def adopt(job_id: str, body: dict[str, Any]) -> ResponseReturnValue:
    queries.job_by_id(job_id)
    return jsonify(serializers.job_json(resolve.choose_task(job_id, body["taskId"], actor())))


@bp.post("/jobs/<job_id>/order-anew")
@operation(Operation(Body({"attemptId": str, "taskIds": list}, needed=("attemptId", "taskIds"))))
def order_anew(job_id: str, body: dict[str, Any]) -> ResponseReturnValue:
    """`attemptId` and `taskIds` are the order and the candidates that were looked at: with another order, or
    other candidates, by now nothing is ordered."""
    queries.job_by_id(job_id)
    looked_at = [str(one) for one in body["taskIds"]]
    return jsonify(serializers.job_json(resolve.order_again(job_id, body["attemptId"], looked_at, actor())))


@bp.get("/orphans")
def index() -> ResponseReturnValue:
    return jsonify([serializers.unmatched_task_json(row) for row in unmatched_actions.current_tasks()])


@bp.get("/orphans/dismissed")
def dismissed() -> ResponseReturnValue:
    """What people have put aside, or deleted, the last one first."""
    return jsonify([serializers.dismissed_task_json(row) for row in unmatched_actions.dismissed_tasks()])


@bp.post("/orphans/refresh")
def refresh() -> ResponseReturnValue:
    return jsonify([serializers.unmatched_task_json(row) for row in unmatched_actions.refresh()])


@bp.get("/orphans/<unmatched_id>/preview")
@operation(Operation(answer="image/jpeg", may_be_none=True))
def preview(unmatched_id: str) -> ResponseReturnValue:
    """A small JPEG of the task's own picture, ours to serve; 204 when there is none to be had."""
    jpeg = unmatched_actions.preview(unmatched_id)
    if jpeg is None:
        return "", 204
    response = Response(jpeg, mimetype="image/jpeg")
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


@bp.post("/orphans/<unmatched_id>/attach")
@operation(Operation(Body({"partId": str}, needed=("partId",)), status=202))
def attach(unmatched_id: str, body: dict[str, Any]) -> ResponseReturnValue:
    return jsonify(serializers.job_json(unmatched_actions.attach(unmatched_id, body["partId"], actor()))), 202


@bp.post("/orphans/<unmatched_id>/dismiss")
@operation(Operation(status=204, answer=None))
def dismiss(unmatched_id: str) -> ResponseReturnValue:
    unmatched_actions.dismiss(unmatched_id, actor())
    return "", 204


@bp.post("/orphans/<unmatched_id>/bring-back")
@operation(Operation(status=204, answer=None))
def bring_back(unmatched_id: str) -> ResponseReturnValue:
    unmatched_actions.restore(unmatched_id, actor())
    return "", 204


@bp.delete("/orphans/<unmatched_id>")
@operation(Operation(status=204, answer=None))
def delete(unmatched_id: str) -> ResponseReturnValue:
    unmatched_actions.delete(unmatched_id, actor())
    return "", 204

"""The JSON API for jobs: start, cancel, retry, optimize again."""

from __future__ import annotations

from types import NoneType
from typing import Any

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from acr3d.db.models import Job
from acr3d.errors import InvalidInput
from acr3d.jobs import from_captures, reoptimize, service
from acr3d.web.access import actor
from acr3d.web.api import serializers
from acr3d.web.api.operation import Body, Operation, operation

_TEXT = (str, NoneType)
_GENERATE = Body(
    {
        "partId": str,
        "selectedAngles": dict,
        "captures": list,
        "engine": _TEXT,
        "config": (dict, NoneType),
        "again": bool,
    },
    needed=("partId",),
)

bp = Blueprint("api_jobs", __name__, url_prefix="/api")


@bp.post("/admin/3d-models/generate")
@operation(Operation(_GENERATE, status=202))
def generate(body: dict[str, Any]) -> ResponseReturnValue:
    """From photos, or from `captures`. An order that has given a model before, and costs credits, needs
    `"again": true`."""
    if "captures" in body:
        return _queued(_from_captures(body))
    if "selectedAngles" not in body:
        raise InvalidInput(_("Choose photos by “selectedAngles”, or “captures”."))
    selected: dict[str, Any] = body["selectedAngles"]
    if not all(isinstance(image_id, str) for image_id in selected.values()):
        raise InvalidInput(_("“selectedAngles” must map each angle to a photo ID."))
    job = service.start(
        body["partId"],
        selected,
        body.get("engine"),
        body.get("config") or {},
        actor(),
        again=body.get("again", False),
    )
    return _queued(job)


def _from_captures(body: dict[str, Any]) -> Job:
    if "selectedAngles" in body:
        raise InvalidInput(_("Choose photos by “selectedAngles”, or “captures”."))
    if not all(isinstance(one, str) for one in body["captures"]):
        raise InvalidInput(_("“captures” must list the IDs of spin captures."))
    config = body.get("config") or {}
    return from_captures.start(body["partId"], body["captures"], body.get("engine"), config, actor())


def _queued(job: Job) -> ResponseReturnValue:
    message = _("The job is queued.")
    return jsonify(success=True, jobId=job.id, meshyTaskId=job.meshy_task_id, message=message), 202


@bp.post("/admin/jobs/<job_id>/cancel")
def cancel_job(job_id: str) -> ResponseReturnValue:
    return jsonify(serializers.job_json(service.cancel(job_id, actor())))


@bp.post("/admin/jobs/<job_id>/retry")
@operation(Operation(Body({"pay": bool}, is_optional=True)))
def retry_job(job_id: str, body: dict[str, Any]) -> ResponseReturnValue:
    """A retry that orders and pays for a new task needs `{"pay": true}`; others take no body."""
    return jsonify(serializers.job_json(service.retry(job_id, actor(), pay=body.get("pay", False))))


@bp.post("/admin/jobs/<job_id>/optimize")
@operation(Operation(Body({"level": str, "turn": _TEXT}, needed=("level",)), status=202))
def optimize_job_again(job_id: str, body: dict[str, Any]) -> ResponseReturnValue:
    """Start a job that makes another version from this job's raw model."""
    job = reoptimize.optimize_again(job_id, body["level"], body.get("turn"), actor())
    return jsonify(serializers.job_json(job)), 202

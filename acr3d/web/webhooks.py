"""The webhook through which Meshy reports a changed task. Only a hint: the poller then asks Meshy itself.

The URL contains a secret, so it is never logged, and all errors look the same: a wrong path, a wrong secret
and a page that does not exist.
"""

from __future__ import annotations

import hmac
import json

from flask import Blueprint, abort, current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from acr3d import settings
from acr3d.db.extensions import csrf
from acr3d.engines.remote_task import is_task_id
from acr3d.jobs.webhook_hints import SECRET_HEADER, Hints

BODY_BYTES = 64 * 1024  # a whole task takes about 3,000

bp = Blueprint("webhooks", __name__)
csrf.exempt(bp)  # the sender has no session, and the request changes nothing


@bp.post("/webhooks/meshy/<path:given>")
def meshy(given: str) -> ResponseReturnValue:
    """Always 200, whatever the body: after errors Meshy would turn the webhook off."""
    config = settings.current()
    sent = request.headers.get(SECRET_HEADER, "")
    secret_is_right = not config.webhook_secret or _same(sent, config.webhook_secret)
    if not _same(given, config.webhook_path) or not secret_is_right:
        abort(404)
    task_id = _task_id()
    if task_id:
        hints: Hints = current_app.extensions["acr3d_hints"]
        hints.add(task_id)
    return "", 200


def _task_id() -> str | None:
    """The `id` in the body, which is a task object or an envelope around one; None for anything else."""
    request.max_content_length = BODY_BYTES
    try:
        body = json.loads(request.get_data(cache=False))
    except (HTTPException, ValueError, RecursionError, OSError):  # too long, truncated or not JSON
        return None
    for _layer in range(2):
        if not isinstance(body, dict):
            return None
        task_id = body.get("id")
        if isinstance(task_id, str):
            return task_id if is_task_id(task_id) else None
        body = body.get("data")
    return None


def _same(given: str, wanted: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())

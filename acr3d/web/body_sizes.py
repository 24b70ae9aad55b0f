"""How large a request's body may be, decided from its head: the server reads no more than its view takes."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response, abort, current_app, request
from flask.typing import ResponseReturnValue

from acr3d.server import BODY_FOLLOWS

_LIMIT = "largest_body"


def install(app: Flask) -> None:
    """Call this after the access control: who may not send a body is told that, and not its limit."""
    app.before_request(_check_size)


def allow(view: Callable[..., ResponseReturnValue], limit: int) -> None:
    """Let `view` take bodies up to `limit` bytes."""
    setattr(view, _LIMIT, limit)


def _check_size() -> ResponseReturnValue | None:
    limit = _limit()
    if (request.content_length or 0) > limit:
        abort(413)
    request.max_content_length = limit  # before the CSRF protection reads a form
    return Response(status=100) if BODY_FOLLOWS in request.environ else None


def _limit() -> int:
    view = current_app.view_functions.get(request.endpoint or "")
    limit: int = getattr(view, _LIMIT, current_app.config["MAX_CONTENT_LENGTH"])
    return limit

"""`/metrics` for Prometheus, and the time that each request takes."""

from __future__ import annotations

import ipaddress
import secrets
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, abort, current_app, request

from acr3d import metrics, settings
from acr3d.metrics import Metrics
from acr3d.worker.gauges import Gauges

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

bp = Blueprint("metrics", __name__)
_AREA = "acr3d.area"
_REPEATED = "repeated"  # answered before Flask made a request of it
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_FORWARDED = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via")


def install(app: Flask, kept: Metrics | None) -> None:
    """Call this last: it times what is inside."""
    app.register_blueprint(bp)
    if kept is None:
        return
    app.extensions["acr3d_metrics"] = kept
    app.extensions["acr3d_gauges"] = Gauges()
    app.before_request(_note_area)
    app.wsgi_app = _Timed(app.wsgi_app)  # type: ignore[method-assign]


@bp.get("/metrics")
def show() -> Response:
    """All figures, for those who may read them; for others there is no such address."""
    kept: Metrics | None = current_app.extensions.get("acr3d_metrics")
    if kept is None or not (_has_token() or _asks_this_machine()):
        abort(404)
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

    registry = kept.of_all_processes()
    registry.register(current_app.extensions["acr3d_gauges"])
    answer = Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _has_token() -> bool:
    wanted = settings.current().metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    return bool(wanted) and secrets.compare_digest(given.encode(), wanted.encode())


def _asks_this_machine() -> bool:
    """A program on this machine asks, and not a proxy on it for somebody else."""
    if any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _note_area() -> None:
    request.environ[_AREA] = request.blueprint or "static"


class _Timed:
    """The WSGI application around everything else."""

    def __init__(self, inner: WSGIApplication) -> None:
        self._inner = inner

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started, said = time.monotonic(), ["5xx"]

        def start(status: str, *rest: object) -> object:
            said[0] = f"{status[0]}xx"
            return start_response(status, *rest)  # type: ignore[arg-type]

        try:
            return self._inner(environ, start)  # type: ignore[arg-type]
        finally:
            method = environ["REQUEST_METHOD"]
            area = environ.get(_AREA, _REPEATED)
            known = method if method in _METHODS else "other"
            metrics.http_request(area, known, said[0], time.monotonic() - started)

"""Public data and files may be read by scripts of any website (CORS), without cookies."""

from __future__ import annotations

from flask import Flask, Response, request

_PUBLIC = frozenset({"api_public", "openapi", "sharing"})
_SENT = "If-None-Match, Range"
_SHOWN = "Content-Range, ETag, Retry-After"


def install(app: Flask) -> None:
    app.after_request(_add)


def allow(response: Response) -> None:
    """Let scripts of any site read this answer."""
    headers = response.headers
    headers["Access-Control-Allow-Origin"] = "*"
    headers["Access-Control-Expose-Headers"] = _SHOWN
    if request.method == "OPTIONS":
        headers["Access-Control-Allow-Methods"] = "GET, HEAD"
        headers["Access-Control-Allow-Headers"] = _SENT
        headers["Access-Control-Max-Age"] = "86400"


def _add(response: Response) -> Response:
    is_question = request.method == "OPTIONS" and request.blueprint == "media"
    if request.blueprint in _PUBLIC or is_question:
        allow(response)
    return response

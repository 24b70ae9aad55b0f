"""An id for each request, which its log lines carry: the proxy's `X-Request-ID`, or one of our own."""

from __future__ import annotations

import re
import secrets

from flask import Flask, request

from acr3d import logs, settings

_SOUND = re.compile(r"[A-Za-z0-9_-]{8,64}")


def install(app: Flask, config: settings.Settings) -> None:
    """Call this first: other hooks may log."""
    if config.log == "json":
        app.before_request(_begin)
        app.teardown_request(_end)


def _begin() -> None:
    given = request.headers.get("X-Request-ID", "") if settings.current().proxy_count else ""
    logs.begin(request=given if _SOUND.fullmatch(given) else secrets.token_hex(8))


def _end(_error: BaseException | None) -> None:
    logs.begin()

"""Security headers for browsers, and cache headers."""

from __future__ import annotations

import functools

from flask import Flask, Response, g, request, session

from acr3d import settings
from acr3d.web import files_elsewhere, vendor
from acr3d.web.access import SESSION_KEY

# <model-viewer> puts one <style> element into its shadow tree; a test checks the hash against the package.
VIEWER_STYLE = "'sha256-PXtZZkJMMyc18o/DN1ZEFOJ2qEGq95IQbVaJFMOXOb0='"
HSTS = "max-age=31536000"
_OWN_PAGES = ("camera", "fullscreen", "xr-spatial-tracking")
_DISABLED = ("geolocation", "microphone", "payment", "usb")
_PERMISSIONS = ", ".join([*(f"{name}=(self)" for name in _OWN_PAGES), *(f"{name}=()" for name in _DISABLED)])


def install(app: Flask) -> None:
    app.after_request(_add)


@functools.cache
def content_security_policy(
    *, viewer: bool, embeddable: bool, cdn: str | None, files: str | None = None
) -> str:
    """The policy of one page. `cdn` is the origin of scripts whose local copy is missing, `files` the one of
    photos and models that we do not send.

    Only a page with a viewer may run WebAssembly (the Draco decoder) and use the viewer's own style.
    """
    cdn_origins, file_origins = [cdn] if cdn else [], [files] if files else []
    directives = {
        "default-src": ["'none'"],
        "base-uri": ["'none'"],
        "connect-src": ["'self'"],
        "font-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["*"] if embeddable else ["'none'"],
        "img-src": ["'self'", "data:", "blob:", *file_origins],
        "script-src": ["'self'", *cdn_origins],
        "style-src": ["'self'"],
    }
    if viewer:
        directives["connect-src"] += ["blob:", *cdn_origins, *file_origins]
        directives["script-src"].append("'wasm-unsafe-eval'")
        directives["style-src"].append(VIEWER_STYLE)
        directives["worker-src"] = ["'self'", "blob:"]
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives.items())


def _add(response: Response) -> Response:
    headers = response.headers
    headers["Content-Security-Policy"] = content_security_policy(
        viewer=g.get("viewer_page", False),
        embeddable=_is_embed() and response.status_code < 400,
        cdn=vendor.CDN if vendor.cdn_in_use() else None,
        files=files_elsewhere.origin(),
    )
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Permissions-Policy"] = _PERMISSIONS
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if (config := settings.current()).is_https:
        headers["Strict-Transport-Security"] = HSTS + "; includeSubDomains" * config.hsts_subdomains
    _limit_caching(response)
    return response


def _is_embed() -> bool:
    return request.endpoint == "public.embed"


def _limit_caching(response: Response) -> None:
    """Errors and pages of logged-in people are never cached; other pages are revalidated."""
    if response.status_code >= 400:
        response.headers["Cache-Control"] = "no-store"
    elif "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "private, no-store" if _is_personal() else "no-cache"


def _is_personal() -> bool:
    """Whether the response is for one person: logged in, or just given a session."""
    return session.modified or SESSION_KEY in session or "Authorization" in request.headers

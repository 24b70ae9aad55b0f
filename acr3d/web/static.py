"""Our own files under /static/, and third-party copies under /static/vendor/.

Pages link to files through `asset`, whose URL changes with the content, so browsers can cache them forever.
Text is sent compressed from memory; all of it together is under a megabyte.
"""

from __future__ import annotations

import functools
import hashlib
import mimetypes
from pathlib import Path
from urllib.parse import quote

from flask import Flask, Response, abort, request, send_file
from werkzeug.security import safe_join

from acr3d.web.compression import best_coding, compressed

FOLDER = Path(__file__).parents[2] / "static"
FOREVER = "public, max-age=31536000, immutable"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
}


def install(app: Flask) -> None:
    """Route /static/ and give templates `asset("css/app.css")`."""
    app.add_url_rule("/static/<path:filename>", "static", serve)
    app.jinja_env.globals["asset"] = asset


def asset(name: str) -> str:
    """The URL of one of our files; new content has a new URL."""
    path = FOLDER / name
    return f"/static/{quote(name)}?v={_fingerprint(path, path.stat().st_mtime_ns)}"


def serve(filename: str) -> Response:
    path = _file(filename)
    changed = path.stat().st_mtime_ns
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    coding = best_coding(request.headers.get("Accept-Encoding", "")) if path.suffix in _TYPES else None
    if coding:
        response = Response(_compressed(path, changed, coding), headers={"Content-Encoding": coding})
        response.set_etag(f"{_fingerprint(path, changed)}-{coding}")
        response.make_conditional(request)
    else:
        response = send_file(path, etag=_fingerprint(path, changed))
    response.headers["Content-Type"] = kind
    response.headers["Cache-Control"] = FOREVER if _is_versioned(filename, path, changed) else "no-cache"
    response.vary.add("Accept-Encoding")
    return response


def _file(filename: str) -> Path:
    found = safe_join(str(FOLDER), filename)
    if found is None or any(piece.startswith(".") for piece in filename.split("/")):
        abort(404)
    path = Path(found)
    try:
        return path if path.is_file() else abort(404)
    except OSError:  # the name is too long for a file
        abort(404)


def _is_versioned(filename: str, path: Path, changed: int) -> bool:
    """Whether the URL identifies this exact content: by its fingerprint, or by a vendor folder's version."""
    return filename.startswith("vendor/") or request.args.get("v") == _fingerprint(path, changed)


@functools.lru_cache(maxsize=64)
def _fingerprint(path: Path, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


@functools.lru_cache(maxsize=128)
def _compressed(path: Path, _changed: int, coding: str) -> bytes:
    return compressed(path.read_bytes(), coding)

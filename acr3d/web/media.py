"""Stored files by key: public ones for everyone and cached forever, the others for staff only."""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, abort, send_file
from flask.typing import ResponseReturnValue

from acr3d.storage.blobs import storage
from acr3d.storage.index import Blob, find_blob
from acr3d.web import cross_origin, files_elsewhere
from acr3d.web.access import reader
from acr3d.web.static import FOREVER

bp = Blueprint("media", __name__)


@bp.get("/media/<path:key>")
def blob(key: str) -> ResponseReturnValue:
    """A blob, or the way to it. Without login, a private blob looks exactly like a missing one."""
    found = find_blob(key)
    if found is None or not (found.is_public or reader()):
        abort(404)
    address = files_elsewhere.address(found.key) if found.is_public else None
    if address is not None:
        response = Response(status=302, headers={"Location": address, "Cache-Control": files_elsewhere.KEPT})
        cross_origin.allow(response)
        return response
    return _sent(found)


def _sent(found: Blob) -> ResponseReturnValue:
    path = storage().path(found.key)
    if not path.is_file():
        abort(404)
    response = send_file(path, mimetype=found.media_type, etag=_etag(found))
    del response.headers["Content-Disposition"]  # the browser decides how to show it
    response.headers["Cache-Control"] = FOREVER if found.is_public else "private, no-store"
    if found.is_public:
        cross_origin.allow(response)
    return response


def _etag(found: Blob) -> str:
    """A blob never changes, so its key is enough if its hash is not known."""
    return found.sha256 or hashlib.sha256(found.key.encode()).hexdigest()

"""Where browsers get public files when not from us: at a CDN in front of the bucket, or in the bucket itself.

What only staff may see is always sent by us.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from urllib.parse import urlsplit

from flask import current_app, request

from acr3d import settings
from acr3d.storage.blobs import StorageError, storage

KEPT = "public, max-age=1800"
"""How long a redirect is remembered; a signed address is good for twice as long."""
_SIGNED_FOR = timedelta(hours=1)
_ANY_KEY = "parts/any.bin"


def address(key: str) -> str | None:
    """The file's address for this request; None when we send it. Raises StorageError.

    A signature is good for one method only, and caches give the answer to a GET for a HEAD.
    """
    config = settings.current()
    if config.cdn_url:
        return f"{config.cdn_url}/{key}"
    if not config.signed_files or request.method == "HEAD":
        return None
    return storage().signed_address(key, _SIGNED_FOR)


def origin() -> str | None:
    """Where such addresses begin, for the pages' policy; None when we send all files."""
    config = settings.current()
    if config.signed_files:
        return _signed_origin()
    return _origin(config.cdn_url) if config.cdn_url else None


def _signed_origin() -> str | None:
    """It depends on the bucket and on `AWS_*`, so it is asked for once; None while nothing can be signed."""
    kept: str | None = current_app.extensions.get("acr3d_signed_origin")
    if kept is None:
        with suppress(StorageError):
            example = storage().signed_address(_ANY_KEY, _SIGNED_FOR)
            kept = current_app.extensions["acr3d_signed_origin"] = _origin(example or "")
    return kept


def _origin(of: str) -> str:
    parts = urlsplit(of)
    return f"{parts.scheme}://{parts.netloc}"

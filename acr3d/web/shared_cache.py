"""Public answers: the same for everyone, so that browsers and shared caches may keep them.

Nothing here looks at the session: no cookie is set, and a logged-in admin gets what customers get. Whether an
answer is still good is known before anything else is read, from the stamp of the content
(`acr3d.db.content_stamp`) and this release's fingerprint.
"""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, g, request

from acr3d import settings
from acr3d.db.content_stamp import present_stamp
from acr3d.web import release
from acr3d.web.compression import best_coding, compress
from acr3d.web.templating import chosen_language

# A browser asks each time; a shared cache may be a minute behind, and covers for acr3d while that is away.
PUBLIC = "public, max-age=0, s-maxage=60, stale-while-revalidate=300, stale-if-error=86400"


def install(area: Blueprint) -> None:
    """Let all GET answers of a blueprint be public."""
    area.before_request(_unchanged)
    area.after_request(_for_everyone)


def _unchanged() -> Response | None:
    """304 for those who have the present answer."""
    if request.method not in ("GET", "HEAD"):
        return None
    g.coding = best_coding(request.headers.get("Accept-Encoding", ""))
    g.stamp = present_stamp()
    g.etag = _etag(g.stamp.value)
    known = request.if_none_match
    is_known = known.contains_weak(g.etag) and not known.star_tag  # "*" would hide a 404
    return Response(status=304) if is_known else None


def _etag(stamp: str) -> str:
    """Of the present answer to this request, strong: other bytes have another one."""
    config = settings.current()
    where = (config.public_url, repr(config.shop), request.full_path, chosen_language(), g.coding or "")
    made_of = (stamp, release.fingerprint(), *where)
    return hashlib.sha256("\n".join(made_of).encode()).hexdigest()[:32]


def _for_everyone(response: Response) -> Response:
    if "page_language" not in g:
        response.vary.add("Accept-Language")
    if response.status_code not in (200, 304) or "etag" not in g:
        return response
    response.headers.setdefault("Cache-Control", PUBLIC)
    response.set_etag(g.etag)
    if g.stamp.changed_at:
        response.last_modified = g.stamp.changed_at
    if response.status_code == 200:
        compress(response, g.coding)
    else:
        response.vary.add("Accept-Encoding")
    return response

"""Public answers: the same for everyone, so that browsers and shared caches may keep them.

Nothing here looks at the session: no cookie is set, and a logged-in admin gets what customers get. Whether an
answer is still good is known before anything else is read, from the stamp of the content
(`acr3d.db.content_stamp`) and this release's fingerprint. A page that was made before for the same ETag is
sent as it was (`kept_pages`).
"""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, current_app, g, request

from acr3d import settings
from acr3d.db.content_stamp import committed_stamp
from acr3d.shop import options
from acr3d.web import release
from acr3d.web.compression import best_coding, compress
from acr3d.web.kept_pages import KeptPage, KeptPages
from acr3d.web.repeated_requests import may_repeat
from acr3d.web.templating import chosen_language

# A browser asks each time; a shared cache may be a minute behind, and covers for acr3d while that is away.
PUBLIC = "public, max-age=0, s-maxage=60, stale-while-revalidate=300, stale-if-error=86400"


def install(area: Blueprint) -> None:
    """Let all GET answers of a blueprint be public."""
    area.before_request(_known)
    area.after_request(_for_everyone)


def _known() -> Response | None:
    """304 for those who have the present answer, or the page as it was made before."""
    if request.method not in ("GET", "HEAD"):
        return None
    g.coding = best_coding(request.headers.get("Accept-Encoding", ""))
    g.stamp = committed_stamp()
    g.etag = _etag(g.stamp.value)
    known = request.if_none_match
    is_known = known.contains_weak(g.etag) and not known.star_tag  # "*" would hide a 404
    if not is_known:
        return _kept_page()
    if _may_be_kept() and request.blueprint == "public":
        may_repeat(g.stamp.value)
    return Response(status=304)


def _etag(stamp: str) -> str:
    """Of the present answer to this request, strong: other bytes have another one."""
    config = settings.current()
    origin = config.public_url or request.host_url  # which addresses on the page begin with
    where = (origin, repr(options.current().shop), request.full_path, chosen_language(), g.coding or "")
    made_of = (stamp, release.fingerprint(), *where)
    return hashlib.sha256("\n".join(made_of).encode()).hexdigest()[:32]


def _kept_page() -> Response | None:
    page = _kept_pages().get(g.etag) if _may_be_kept() else None
    if page is None:
        return None
    g.viewer_page, g.is_kept = page.has_viewer, True
    may_repeat(g.stamp.value)
    return Response(page.body, headers=list(page.headers))


def _keep(response: Response) -> None:
    if _may_be_kept() and response.mimetype == "text/html" and not response.is_streamed:
        may_repeat(g.stamp.value)
        page = KeptPage(response.get_data(), tuple(response.headers), g.get("viewer_page", False))
        _kept_pages().keep(g.etag, page)


def _may_be_kept() -> bool:
    """Not searches: they are counted, and hardly one is asked for twice."""
    return not request.args.get("q")


def _kept_pages() -> KeptPages:
    pages: KeptPages = current_app.extensions["acr3d_kept_pages"]
    return pages


def _for_everyone(response: Response) -> Response:
    if g.get("is_kept"):
        return response
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
        _keep(response)
    else:
        response.vary.add("Accept-Encoding")
    return response

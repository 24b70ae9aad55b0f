"""What the address of a list of parts asks for."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import abort, redirect, request
from flask_babel import gettext as _

from acr3d.db.models import Category
from acr3d.errors import InvalidInput, Missing
from acr3d.parts import categories, search_query
from acr3d.parts.filters import MODEL_STATES, Filters
from acr3d.parts.search import ORDERS, PAGE_SIZE, Page, search
from acr3d.web.templating import asked_query

MOST = 200
"""Parts in one answer of the API."""
_WORDS = {"true": True, "1": True, "false": False, "0": False}


def parameters() -> dict[str, dict[str, object]]:
    """The parameters of lists as JSON Schema."""
    return {
        "q": {"type": "string", "maxLength": search_query.LONGEST},
        "cursor": {"type": "string"},
        "limit": {"type": "integer", "minimum": 1, "maximum": MOST},
        "sort": {"type": "string", "enum": list(ORDERS)},
        "published": {"type": "string", "enum": list(_WORDS)},
        "model": {"type": "string", "enum": list(_WORDS)},
        "category": {"type": "string"},
        "revision": {"type": "integer"},
        "status": {"type": "string", "enum": list(MODEL_STATES)},
        **{name: {"type": "string", "enum": list(_WORDS)} for name in ("model", "photos", "sizes")},
        "id": {"type": "array", "items": {"type": "string", "format": "uuid"}},
    }


def page_of(filters: Filters, *, order: str = "", limit: int = PAGE_SIZE) -> Page:
    """The page that is asked for by `q` and `cursor`. Raises InvalidInput."""
    return search(asked_query(), filters, order=order, cursor=request.args.get("cursor", ""), limit=limit)


def limit() -> int:
    """How many parts the API is to send. Raises InvalidInput."""
    text = request.args.get("limit", str(PAGE_SIZE))
    if not (text.isascii() and text.isdecimal() and len(text) < 4 and 1 <= int(text) <= MOST):
        raise InvalidInput(_("“limit” must be a whole number from 1 to %(most)s.", most=MOST))
    return int(text)


def order() -> str:
    """How the list is to be sorted; empty for the usual way. Raises InvalidInput."""
    name = request.args.get("sort", "")
    if name and name not in ORDERS:
        raise InvalidInput(_("“%(name)s” must be one of: %(words)s.", name="sort", words=", ".join(ORDERS)))
    return name


def flag(name: str) -> bool | None:
    """A yes or no in the address; None if it is left out. Raises InvalidInput."""
    word = request.args.get(name, "").lower()
    if word and word not in _WORDS:
        raise InvalidInput(_("“%(name)s” must be one of: %(words)s.", name=name, words="true, false"))
    return _WORDS.get(word)


def category() -> Category | None:
    """The category that the list is limited to. Raises Missing."""
    path = request.args.get("category", "").strip()
    if not path:
        return None
    try:
        return categories.by_path(path)
    except InvalidInput as unknown:
        raise Missing(_("There is no such category. It may have been renamed or deleted.")) from unknown


def published() -> Filters:
    """What customers may see, in the category that is asked for. Raises InvalidInput, Missing."""
    return Filters(is_published=True, category=category(), has_model=flag("model") or None)


def staff_filters() -> Filters:
    """What the staff's list of parts is limited to. Raises InvalidInput, Missing."""
    state = request.args.get("status", "")
    if state and state not in MODEL_STATES:
        raise InvalidInput(
            _("“%(name)s” must be one of: %(words)s.", name="status", words=", ".join(MODEL_STATES))
        )
    return Filters(
        is_published=flag("published"),
        model_state=state or None,
        has_model=flag("model"),
        has_photo=flag("photos"),
        has_size=flag("sizes"),
        category=category(),
    )


def leave_numbered_pages() -> None:
    """Lead addresses of earlier versions, which numbered pages, to the beginning of the same list."""
    if "page" in request.args:
        rest = [(name, value) for name, value in request.args.items(multi=True) if name != "page"]
        abort(redirect(f"{request.path}?{urlencode(rest)}" if rest else request.path, 301))

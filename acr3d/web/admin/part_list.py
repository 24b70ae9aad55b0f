"""The staff's list of parts: its filters with their counts, its order, and the address that leads to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import request
from flask_babel import gettext as _

from acr3d.db.states import DAYS_IN_BIN
from acr3d.jobs import queries
from acr3d.parts import categories, photos
from acr3d.parts.filters import MODEL_STATES, Facets, Filters
from acr3d.web import list_request
from acr3d.web.access import is_htmx
from acr3d.web.admin import live_updates

_NAMES = ("q", "category", "status", "published", "photos", "sizes", "model", "sort")
_FLAGS = {"true": True, "false": False}


@dataclass(frozen=True)
class Choice:
    """One value of a filter, and how many parts it would leave if that is known."""

    value: str
    name: str
    count: int | None = None


@dataclass(frozen=True)
class Selection:
    """A filter of the list, or its order; the first choice is the usual one."""

    name: str
    label: str
    choices: list[Choice]
    chosen: str


def is_wanted_alone() -> bool:
    """Whether the page is open and asks for its list only."""
    return is_htmx() and request.headers.get("HX-Target") == "part-list"


def context() -> dict[str, Any]:
    """What the list's templates show. Raises InvalidInput, Missing."""
    filters = list_request.staff_filters()
    page = list_request.page_of(filters, order=list_request.order())
    ids = [part.id for part in page.parts]
    jobs = queries.newest_jobs(ids)
    paths = categories.paths()
    return {
        "page": page,
        "jobs": jobs,
        "covers": photos.covers_of(ids),
        "live_jobs": live_updates.parts_poller(page.parts, jobs),
        "selections": list(_selections(filters, page.facets, paths)),
        "paths": paths,
        "days": DAYS_IN_BIN,
        "asked": asked(),
    }


def asked() -> dict[str, str]:
    """What the list was asked for, without its place: the arguments of its address."""
    values = ((name, request.args.get(name, "").strip()) for name in _NAMES)
    return {name: value for name, value in values if value}


def _selections(filters: Filters, counted: Facets | None, paths: list[str]) -> Iterator[Selection]:
    if paths:
        chosen = filters.category.path if filters.category else ""
        yield Selection(
            "category", _("Category"), [Choice("", _("All")), *(Choice(path, path) for path in paths)], chosen
        )
    published = (_("Published"), _("Unpublished"))
    yield _flag("published", _("Visibility"), published, "is_published", filters, counted)
    yield _states(filters, counted)
    with_photos = (_("With photos"), _("Photos missing"))
    yield _flag("photos", _("Photos"), with_photos, "has_photo", filters, counted)
    sizes = (_("With sizes"), _("Sizes missing"))
    yield _flag("sizes", _("Sizes"), sizes, "has_size", filters, counted)
    models = (_("Has 3D"), _("No 3D yet"))
    yield _flag("model", _("3D model"), models, "has_model", filters, counted)
    first = Choice("", _("Best match first")) if request.args.get("q", "").strip() else Choice("", _("Name"))
    orders = [first, Choice("sku", _("Part number")), Choice("newest", _("Newest first"))]
    yield Selection("sort", _("Sort by"), orders, list_request.order())


def _flag(
    name: str,
    label: str,
    words: tuple[str, str],
    fact: str,
    filters: Filters,
    counted: Facets | None,
) -> Selection:
    choices = [Choice("", _("All"))]
    for (value, wanted), word in zip(_FLAGS.items(), words, strict=True):
        choices.append(Choice(value, word, counted.count(filters, **{fact: wanted}) if counted else None))
    chosen = getattr(filters, fact)
    return Selection(name, label, choices, "" if chosen is None else str(chosen).lower())


def _states(filters: Filters, counted: Facets | None) -> Selection:
    words = {
        "none": _("No model"),
        "working": _("In progress"),
        "complete": _("Complete"),
        "failed": _("Failed"),
    }
    choices = [
        Choice(state, words[state], counted.count(filters, model_state=state) if counted else None)
        for state in MODEL_STATES
    ]
    return Selection("status", _("Status"), [Choice("", _("All")), *choices], filters.model_state or "")

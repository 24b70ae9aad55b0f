"""What became of an import's rows or photos, for people: some at a time, one kind of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Select, or_, select

from acr3d.db.extensions import db
from acr3d.db.models import ImportPhoto, ImportRow
from acr3d.db.models.imports import ACTIONS, PHOTO_ACTIONS

PAGE_SIZE = 50
LEFT = "left"
"""Beside the actions: what the undoing left."""
KINDS = (*ACTIONS, LEFT)
PHOTO_KINDS = (*PHOTO_ACTIONS, LEFT)
_BATCH = 1000

Line = TypeVar("Line", ImportRow, ImportPhoto)


@dataclass(frozen=True)
class Page(Generic[Line]):
    """Some lines; `next` is the `after` of the next page, None on the last one."""

    lines: list[Line]
    next: int | None


def page(model: type[Line], import_id: str, kind: str = "", after: int = -1) -> Page[Line]:
    """The rows or photos of one kind (KINDS, PHOTO_KINDS; empty for all) behind the one with this number."""
    query = _behind(model, import_id, after).limit(PAGE_SIZE + 1)
    if kind:
        query = query.where(model.not_undone != "" if kind == LEFT else model.action == kind)
    found = list(db.session.scalars(query))
    shown = found[:PAGE_SIZE]
    return Page(shown, shown[-1].number if len(found) > PAGE_SIZE else None)


def problems(model: type[Line], import_id: str) -> Iterator[list[Line]]:
    """Those that are left out, or that the undoing left, some at a time."""
    is_problem = or_(model.problem != "", model.not_undone != "")
    after = -1
    while found := list(db.session.scalars(_behind(model, import_id, after).where(is_problem).limit(_BATCH))):
        after = found[-1].number
        yield found


def why(line: ImportRow | ImportPhoto) -> str:
    """The sentence of one of the problems."""
    return line.problem or line.not_undone


def _behind(model: type[Line], import_id: str, after: int) -> Select[Line]:
    return select(model).where(model.import_id == import_id, model.number > after).order_by(model.number)

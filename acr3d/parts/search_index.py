"""Keeps `part_search` in step with the parts: in the transaction that changes a part, whoever changes it.

A row is also made for parts that lack one: those of an earlier version's database, or of its code.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import delete, event, inspect, or_, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, SessionTransaction, UOWTransaction, selectinload

from acr3d.db import full_text
from acr3d.db.extensions import db
from acr3d.db.models import Part, PartFitment, PartNumber, PartSearch, SearchWord
from acr3d.db.session import transaction
from acr3d.parts import categories, search_text
from acr3d.parts.typos import is_correctable

VERSION = 3
"""Count it up when other rows would be made of the same parts."""

_BATCH = 500
_CHANGED = "acr3d_parts_to_index"
_FACTS = (
    *("sku", "sku_key", "name", "description", "is_published", "model_status", "model_3d_url"),
    *("primary_image_url", "width_mm", "height_mm", "depth_mm", "deleted_at"),
    *("brand", "category_id", "attributes"),
)
_ROWS_OF_A_PART = (PartNumber, PartFitment)
_WITH = (selectinload(Part.number_rows), selectinload(Part.fitment_rows))


def follow_changes() -> None:
    """Index what sessions change, from now on."""
    if not event.contains(Session, "after_flush", _note_changes):
        event.listen(Session, "after_flush", _note_changes)
        # Before `db.content_stamp`, whose row is the last that a transaction locks.
        event.listen(Session, "before_commit", _index_changes, insert=True)
        event.listen(Session, "after_soft_rollback", _forget_changes)


def index_parts(session: Session, part_ids: Iterable[str]) -> None:
    """Make the rows of these parts as they should be; those of deleted parts go."""
    ids = sorted(part_ids)
    known = {
        row.part_id: row for row in session.scalars(select(PartSearch).where(PartSearch.part_id.in_(ids)))
    }
    found = set[str]()
    parts = session.scalars(select(Part).where(Part.id.in_(ids)).options(*_WITH)).all()
    lines = categories.lines(session, (part.category_id for part in parts))
    for part in parts:
        row = known.get(part.id)
        if part.deleted_at is not None:
            if row is not None:
                session.delete(row)
            continue
        values = row_of(part, lines.get(part.category_id or "", []))
        found.update(values["tokens"].split())
        if row is None:
            session.add(PartSearch(part_id=part.id, **values))
            continue
        for name, value in values.items():
            setattr(row, name, value)
    session.flush()
    learn_words(session, found)


def catch_up() -> int:
    """Index the present parts that have no row of this version; returns how many."""
    done = 0
    while ids := _without_row():
        with transaction() as session:
            index_parts(session, ids)
        done += len(ids)
    return done


def reindex() -> int:
    """Make everything again; returns the number of parts. Searches find what is not yet done as before."""
    done, last = 0, ""
    with transaction() as session:
        gone = select(Part.id).where(Part.deleted_at.is_not(None))
        session.execute(delete(PartSearch).where(PartSearch.part_id.in_(gone)))
        session.execute(delete(SearchWord))
        if session.get_bind().dialect.name == "sqlite":
            session.execute(text(full_text.SQLITE_REBUILD))
    while ids := _after(last):
        with transaction() as session:
            index_parts(session, ids)
        done, last = done + len(ids), ids[-1]
    return done


def row_of(part: Part, category_line: list[str]) -> dict[str, Any]:
    """What `part_search` holds of a part, whose category is the last of `category_line`."""
    keys = _number_keys([part.sku, *(row.value for row in part.number_rows)])
    vehicles = (word for row in part.fitment_rows for word in (row.make, row.model, row.engine))
    facts = (part.brand, part.description, *vehicles, *map(str, part.attributes.values()))
    text = " ".join(filter(None, (part.name, part.sku, *facts)))
    levels = dict(
        zip(("category_1", "category_2", "category_3"), [*category_line, None, None, None], strict=False)
    )
    return {
        "version": VERSION,
        "name_key": " ".join(search_text.words(part.name)),
        "sku_key": part.sku_key,
        "created_at": part.created_at,
        "is_published": part.is_published,
        "model_status": part.model_status,
        "has_model": part.model_3d_url is not None,
        "has_photo": part.primary_image_url is not None,
        "has_size": None not in (part.width_mm, part.height_mm, part.depth_mm),
        "is_bare": part.primary_image_url is None and part.model_3d_url is None,
        **levels,
        "numbers": f" {' '.join(keys)} ",
        "tokens": search_text.tokens(text, keys),
    }


def _number_keys(numbers: Sequence[str]) -> list[str]:
    return [key for key in dict.fromkeys(map(search_text.number_key, numbers)) if key]


def learn_words(session: Session, tokens: set[str]) -> None:
    """In order: two transactions with the same new words then wait for each other in one direction only."""
    rows = [{"word": word, "backwards": word[::-1]} for word in sorted(tokens) if is_correctable(word)]
    if rows:
        kind = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        session.execute(kind.insert(SearchWord).on_conflict_do_nothing(), rows)


def _without_row() -> list[str]:
    current = PartSearch.version == VERSION
    query = (
        select(Part.id)
        .outerjoin(PartSearch, PartSearch.part_id == Part.id)
        .where(Part.deleted_at.is_(None), or_(PartSearch.id.is_(None), ~current))
    )
    return _read(query.limit(_BATCH))


def _after(part_id: str) -> list[str]:
    present = select(Part.id).where(Part.deleted_at.is_(None)).order_by(Part.id)
    return _read((present.where(Part.id > part_id) if part_id else present).limit(_BATCH))


def _read(query: Any) -> list[str]:
    ids = list(db.session.scalars(query))
    db.session.commit()
    return ids


def _note_changes(session: Session, _context: UOWTransaction) -> None:
    changed = session.info.setdefault(_CHANGED, set())
    changed.update(one.id for one in session.new if isinstance(one, Part))
    for one in (*session.new, *session.dirty, *session.deleted):
        if isinstance(one, _ROWS_OF_A_PART):
            changed.add(one.part_id)
    changed.discard(None)
    for one in session.dirty:
        if isinstance(one, Part) and any(inspect(one).attrs[name].history.has_changes() for name in _FACTS):
            changed.add(one.id)


def _index_changes(session: Session) -> None:
    """Once, at the end of the transaction. What statements change without an object is not noticed."""
    session.flush()
    if part_ids := session.info.pop(_CHANGED, None):
        index_parts(session, part_ids)


def _forget_changes(session: Session, _before: SessionTransaction) -> None:
    session.info.pop(_CHANGED, None)

"""The tree of categories: three levels, with how many parts each holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache

from flask_babel import gettext as _
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from acr3d.db.extensions import db
from acr3d.db.models import Category, Part, PartSearch
from acr3d.db.session import transaction
from acr3d.db.types import is_id
from acr3d.errors import Conflict, InvalidInput, Missing
from acr3d.parts import search_text

LEVELS = 3
NAME_LENGTH = 80
SEPARATOR = "/"


@dataclass(frozen=True)
class Node:
    """A category with the parts in it and below it."""

    category: Category
    level: int  # from 1
    count: int


def tree(*, published_only: bool) -> list[Node]:
    """All categories, each behind its parent."""
    counts = _counts(published_only)
    listed = db.session.scalars(select(Category).order_by(Category.path_key))
    return [Node(one, level_of(one), counts.get(one.id, 0)) for one in listed]


@dataclass(frozen=True)
class Shelf:
    """A category in which customers find parts."""

    path: str
    name: str
    count: int

    @property
    def parent(self) -> str:
        """The path of the category above; empty at the top."""
        return self.path.rpartition(SEPARATOR)[0]


def shelves(stamp: str) -> tuple[Shelf, ...]:
    """The categories with published parts in or below them; read once for each `stamp` of the content."""
    return _kept_shelves(stamp) if stamp else _read_shelves()


@lru_cache(maxsize=4)
def _kept_shelves(_stamp: str) -> tuple[Shelf, ...]:
    return _read_shelves()


def _read_shelves() -> tuple[Shelf, ...]:
    nodes = tree(published_only=True)
    return tuple(Shelf(one.category.path, one.category.name, one.count) for one in nodes if one.count)


def level_of(category: Category) -> int:
    """1 for a category at the top."""
    return category.path.count(SEPARATOR) + 1


def paths() -> list[str]:
    """The paths of all categories, in order."""
    return list(db.session.scalars(select(Category.path).order_by(Category.path_key)))


def by_id(category_id: str) -> Category:
    """Raises Missing."""
    found = db.session.get(Category, category_id) if is_id(category_id) else None
    if found is None:
        raise Missing(_("There is no such category. It may have been deleted."))
    return found


def path_of(category_id: str) -> str:
    """The names of a category from the top; empty if there is none with this id."""
    found = db.session.get(Category, category_id)
    return found.path if found else ""


def by_path(path: str) -> Category:
    """The category with these names from the top, however they are spelt. Raises InvalidInput."""
    found = db.session.scalar(select(Category).where(Category.path_key == _key(path)))
    if found is None:
        raise InvalidInput(
            _(
                "There is no category “%(path)s”. Create it first, or leave the category empty.",
                path=path[:200],
            )
        )
    return found


def create(path: str) -> Category:
    """The category with this path, made with those above it as far as they are missing.

    Raises InvalidInput for names that cannot be used.
    """
    names = _checked_names(path)
    with _one_each(), transaction() as session:
        category = _found_or_made(session, names[:1], None)
        for depth in range(2, len(names) + 1):
            category = _found_or_made(session, names[:depth], category)
    return category


def id_or_new_path(path: str) -> str:
    """The id of the category with this path; the path itself where `create` would make it.

    Raises InvalidInput for names that cannot be used.
    """
    found = db.session.scalar(select(Category.id).where(Category.path_key == _key(path)))
    return found or SEPARATOR.join(_checked_names(path))


def missing(path: str) -> list[str]:
    """The paths that `create` would make, the highest first. Raises InvalidInput."""
    names = _checked_names(path)
    lines = [SEPARATOR.join(names[:depth]) for depth in range(1, len(names) + 1)]
    keys = {line: _key(line) for line in lines}
    found = set(db.session.scalars(select(Category.path_key).where(Category.path_key.in_(keys.values()))))
    return [line for line in lines if keys[line] not in found]


def delete_if_empty(path: str) -> None:
    """Delete the category with this path if no part and no category is in it."""
    found = db.session.scalar(select(Category).where(Category.path_key == _key(path)))
    if found is None or _counts(published_only=False).get(found.id):
        return
    with suppress(Conflict, Missing):  # it has others below it, or is gone
        delete(found.id)


def rename(category_id: str, name: str) -> Category:
    """Raises Missing, InvalidInput, or Conflict when its parent has another category of this name."""
    name = _checked(name)
    with _one_each(), transaction() as session:
        category = by_id(category_id)
        before, above = category.path, category.path.rpartition(SEPARATOR)[0]
        category.name = name
        below = session.scalars(
            select(Category).where(Category.path.startswith(before + SEPARATOR, autoescape=True))
        )
        for one in [*below, category]:
            one.path = SEPARATOR.join(filter(None, (above, name))) + one.path[len(before) :]
            one.path_key = _key(one.path)
    return category


def delete(category_id: str) -> None:
    """Its parts move to the category above. Raises Missing, or Conflict while it has categories below it."""
    with transaction() as session:
        category = by_id(category_id)
        if session.scalar(select(Category.id).where(Category.parent_id == category.id).limit(1)):
            raise Conflict(_("“%(name)s” has categories below it. Delete those first.", name=category.path))
        moved = update(Part).where(Part.category_id == category.id)
        session.execute(moved.values(category_id=category.parent_id, revision=Part.revision + 1))
        level = PartSearch.category_columns()[level_of(category) - 1]
        session.execute(update(PartSearch).where(level == category.id).values({level.key: None}))
        session.delete(category)


def lines(session: Session, category_ids: Iterable[str | None]) -> dict[str, list[str]]:
    """The ids from the top to each of these categories."""
    wanted = {one for one in category_ids if one}
    if not wanted:
        return {}
    parents = {row.id: row.parent_id for row in session.execute(select(Category.id, Category.parent_id))}
    found = {}
    for category_id in wanted & parents.keys():
        line: list[str] = []
        at: str | None = category_id
        while at:
            line.insert(0, at)
            at = parents[at]
        found[category_id] = line
    return found


def _counts(published_only: bool) -> dict[str, int]:
    columns = PartSearch.category_columns()
    query = select(*columns, func.count()).where(columns[0].is_not(None)).group_by(*columns)
    if published_only:
        query = query.where(PartSearch.is_published.is_(True))
    found: dict[str, int] = {}
    for *line, count in db.session.execute(query):
        for category_id in filter(None, line):
            found[category_id] = found.get(category_id, 0) + count
    return found


def _found_or_made(session: Session, names: list[str], parent: Category | None) -> Category:
    path = SEPARATOR.join([parent.path, names[-1]] if parent else names)
    found = session.scalar(select(Category).where(Category.path_key == _key(path)))
    if found is None:
        found = Category(
            parent_id=parent.id if parent else None, name=names[-1], path=path, path_key=_key(path)
        )
        session.add(found)
        session.flush()
    return found


def _checked_names(path: str) -> list[str]:
    names = [_checked(name) for name in path.split(SEPARATOR)]
    if len(names) > LEVELS:
        raise InvalidInput(_("Categories have at most three levels."))
    return names


def _checked(name: str) -> str:
    text = " ".join(name.split())
    if not search_text.words(text):
        raise InvalidInput(_("A category needs a name."))
    if len(text) > NAME_LENGTH or not text.isprintable() or SEPARATOR in text:
        raise InvalidInput(
            _("A category's name has at most %(n)s printable characters and no slash.", n=NAME_LENGTH)
        )
    return text


def _key(path: str) -> str:
    return SEPARATOR.join(" ".join(search_text.words(name)) for name in path.split(SEPARATOR))


@contextmanager
def _one_each() -> Iterator[None]:
    """Turn the database's refusal of a second equal path into a sentence."""
    try:
        yield
    except IntegrityError as error:
        raise Conflict(_("There is another category of this name in the same place.")) from error

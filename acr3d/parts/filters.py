"""What the parts of a list have in common, and how many parts each choice would leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, func, select

from acr3d.db.content_stamp import present_stamp
from acr3d.db.extensions import db
from acr3d.db.models import Category, PartSearch
from acr3d.db.models.search import FILTERED
from acr3d.db.states import ModelStatus
from acr3d.parts.categories import level_of

MODEL_STATES = {
    "none": (ModelStatus.NONE,),
    "working": (ModelStatus.QUEUED, ModelStatus.PROCESSING, ModelStatus.OPTIMIZING),
    "complete": (ModelStatus.COMPLETE,),
    "failed": (ModelStatus.FAILED,),
}
"""The words of a list's address, and the statuses that each means."""
_REMEMBERED = 64


@dataclass(frozen=True)
class Filters:
    """What the parts of a list have in common; None where it does not matter."""

    is_published: bool | None = None
    model_state: str | None = None
    """A key of MODEL_STATES."""
    has_model: bool | None = None
    has_photo: bool | None = None
    has_size: bool | None = None
    category: Category | None = None
    """With the categories below it."""

    def conditions(self, *, by_index: bool = True) -> list[ColumnElement[bool]]:
        """`by_index`: let an index of the facts find the rows, else that of the list's order."""
        found = []
        for name, wanted in self._facts().items():
            column = getattr(PartSearch, name)
            column = column if by_index else func.coalesce(column, column)
            found.append(column.in_(wanted) if isinstance(wanted, tuple) else column == wanted)
        if self.category is not None:
            found.append(PartSearch.category_columns()[level_of(self.category) - 1] == self.category.id)
        return found

    def fit(self, facts: Mapping[str, Any]) -> bool:
        """Whether a part with these facts belongs to the list; the category is not looked at."""
        return all(
            facts[name] in (wanted if isinstance(wanted, tuple) else (wanted,))
            for name, wanted in self._facts().items()
        )

    def _facts(self) -> dict[str, Any]:
        wanted: dict[str, Any] = {name: getattr(self, name, None) for name in FILTERED}
        if self.model_state is not None:
            wanted["model_status"] = MODEL_STATES[self.model_state]
        return {name: value for name, value in wanted.items() if value is not None}


EVERY_PART = Filters()
PUBLISHED = Filters(is_published=True)


class Facets:
    """How many parts of a category, or of all, have which facts."""

    def __init__(self, groups: tuple[tuple[Any, ...], ...]) -> None:
        self._groups = [(dict(zip(FILTERED, group, strict=False)), group[-1]) for group in groups]

    def count(self, filters: Filters, **changed: object) -> int:
        """The parts of a list with these filters, some of them `changed`."""
        wanted = replace(filters, **changed)  # type: ignore[arg-type]
        return sum(count for facts, count in self._groups if wanted.fit(facts))


def facets(category: Category | None) -> Facets:
    """Counted once after every change of the parts."""
    place = (level_of(category), category.id) if category else None
    stamp = present_stamp().value
    return Facets(_groups(stamp, place) if stamp else _read_groups(place))


@lru_cache(maxsize=_REMEMBERED)
def _groups(_stamp: str, place: tuple[int, str] | None) -> tuple[tuple[Any, ...], ...]:
    return _read_groups(place)


def _read_groups(place: tuple[int, str] | None) -> tuple[tuple[Any, ...], ...]:
    columns = [getattr(PartSearch, name) for name in FILTERED]
    query = select(*columns, func.count()).group_by(*columns)
    if place is not None:
        level, category_id = place
        query = query.where(PartSearch.category_columns()[level - 1] == category_id)
    return tuple(tuple(row) for row in db.session.execute(query))

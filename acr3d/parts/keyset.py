"""Cursors: where a page of a list ends, so that the next one begins there however far down it is."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, literal, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from acr3d.db.extensions import db
from acr3d.db.types import is_id
from acr3d.errors import InvalidInput

LONGEST = 1000
ReadKey = Callable[[Any], Any]
"""Turns a key of JSON into the value of a column. Raises ValueError or TypeError."""


@dataclass(frozen=True)
class Cursor:
    """The sort keys of a row, and which of its neighbours are wanted."""

    order: str
    """The name of the order that the keys belong to."""
    keys: tuple[Any, ...]
    is_backwards: bool = False

    def __str__(self) -> str:
        keys = [one.isoformat() if isinstance(one, datetime) else one for one in self.keys]
        written = json.dumps([self.order, int(self.is_backwards), *keys], separators=(",", ":"))
        return base64.urlsafe_b64encode(written.encode()).decode().rstrip("=")


@dataclass(frozen=True)
class Order:
    """A way to sort a list. The last of its columns makes every row's place unique."""

    columns: tuple[ColumnElement[Any] | InstrumentedAttribute[Any], ...]
    read: tuple[ReadKey, ...]
    is_descending: bool = False

    def sorted_columns(self, *, is_backwards: bool = False) -> list[ColumnElement[Any]]:
        """What a query is ordered by."""
        downwards = self.is_descending != is_backwards
        return [column.desc() if downwards else column.asc() for column in self.columns]


@dataclass(frozen=True)
class Rows:
    """The sort keys of a page's rows, and the cursors of the pages beside it."""

    rows: list[tuple[Any, ...]]
    next: Cursor | None
    previous: Cursor | None


def read(text: str, orders: Mapping[str, Order]) -> Cursor:
    """The cursor in an address, for a list that has these orders. Raises InvalidInput."""
    try:
        order, is_backwards, *keys = json.loads(base64.urlsafe_b64decode(text[:LONGEST] + "=="))
        if is_backwards not in (0, 1):
            raise ValueError("a cursor has two directions")
        values = tuple(one(key) for one, key in zip(orders[order].read, keys, strict=True))
        return Cursor(order, values, bool(is_backwards))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InvalidInput(
            _("This address does not point into this list. Open the list from its beginning.")
        ) from error


def rows(query: Select[Any], name: str, order: Order, at: Cursor | None, limit: int) -> Rows:
    """`limit` rows behind `at`, or from the beginning, of `query`, which selects the columns of `order`."""
    is_backwards = at is not None and at.is_backwards
    downwards = order.is_descending != is_backwards
    if at is not None:
        keys = (literal(key, column.type) for key, column in zip(at.keys, order.columns, strict=True))
        here, there = tuple_(*keys), tuple_(*order.columns)
        query = query.where(there < here if downwards else there > here)
    query = query.order_by(*order.sorted_columns(is_backwards=is_backwards))
    found = [tuple(row) for row in db.session.execute(query.limit(limit + 1))]
    shown, has_more = found[:limit], len(found) > limit
    if is_backwards:
        shown.reverse()
    has_next = bool(shown) and (has_more or is_backwards)
    has_previous = bool(shown) and (has_more if is_backwards else at is not None)
    return Rows(
        shown,
        Cursor(name, shown[-1]) if has_next else None,
        Cursor(name, shown[0], is_backwards=True) if has_previous else None,
    )


def as_text(key: Any) -> str:
    if not isinstance(key, str) or "\x00" in key:
        raise ValueError("not text that a database takes")
    key.encode()  # fails for half a surrogate pair
    return key


def as_id(key: Any) -> str:
    if not is_id(key):
        raise ValueError("not an id")
    return str(key)


def as_moment(key: Any) -> datetime:
    moment = datetime.fromisoformat(key)
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return moment


def as_rank(key: Any) -> int:
    if type(key) is not int or not 0 <= key < 100:
        raise ValueError("not a rank")
    return key

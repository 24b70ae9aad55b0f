"""Column types that mean the same on SQLite and PostgreSQL: ids as text, moments in UTC."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, String, Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

_SORTABLE = "%Y-%m-%d %H:%M:%S.%f"


def new_id() -> str:
    return str(uuid.uuid4())


def is_id(text: str) -> bool:
    """Whether `text` is a UUID as `new_id` writes it. Check before a query: PostgreSQL raises otherwise."""
    try:
        return str(uuid.UUID(text)) == text
    except (ValueError, AttributeError, TypeError):
        return False


def utc_now() -> datetime:
    return datetime.now(UTC)


# Sorted by its characters' numbers: the same order on both databases, whatever the server's locale.
SortableText = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


class Thousandths(TypeDecorator[float]):
    """An amount with at most three decimals, stored exactly as a whole number of thousandths."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: float | None, _dialect: Dialect) -> int | None:
        return None if value is None else round(value * 1000)

    def process_result_value(self, value: int | None, _dialect: Dialect) -> float | None:
        return None if value is None else value / 1000


class Id(TypeDecorator[str]):
    """A UUID, `str` in Python: native on PostgreSQL, 36 characters with dashes on SQLite."""

    impl = String(36)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.UUID(as_uuid=False))
        return dialect.type_descriptor(String(36))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else str(uuid.UUID(value))


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime: timestamptz on PostgreSQL, sortable text on SQLite.

    SQLite's text is read leniently, since an adopted database may hold any ISO 8601 form.
    """

    impl = String(32)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(String(32))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | str | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        return value if dialect.name == "postgresql" else value.astimezone(UTC).strftime(_SORTABLE)

    def process_result_value(self, value: datetime | str | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

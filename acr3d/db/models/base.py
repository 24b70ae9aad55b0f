"""The declarative base, and what every table is built with."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, text
from sqlalchemy.orm import DeclarativeBase, registry

from acr3d.db.types import Moment


class Base(DeclarativeBase):
    # On the registry, since Flask-SQLAlchemy makes its own base class from this one.
    registry = registry(
        type_annotation_map={
            datetime: Moment,
            dict[str, Any]: JSON,
            list[str]: JSON,
            list[dict[str, Any]]: JSON,
        }
    )


def one_of(column: str, words: type[StrEnum] | tuple[str, ...], name: str) -> CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=name)


def only_where(condition: str) -> dict[str, Any]:
    """The options that make an index partial, on both databases."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def partial_unique(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, unique=True, **only_where(where))

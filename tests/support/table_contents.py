"""All rows of all tables, to see what a request has changed, and to undo it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, insert, select, text

from acr3d.db.models import Base

Contents = dict[str, list[tuple[Any, ...]]]

_LATER_CHECKS = {
    "sqlite": "PRAGMA defer_foreign_keys = ON",
    "postgresql": "SET LOCAL session_replication_role = replica",
}


def contents(engine: Engine) -> Contents:
    """The rows of each table, in the order of their keys."""
    tables = Base.metadata.sorted_tables
    with engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in tables
        }


def differences(before: Contents, after: Contents) -> set[str]:
    """`table.column` for each value that changed, `table` for rows that came or went."""
    found = set()
    for table in Base.metadata.sorted_tables:
        old, new = before[table.name], after[table.name]
        if len(old) != len(new):
            found.add(table.name)
            continue
        for one, other in zip(old, new, strict=True):
            found |= {
                f"{table.name}.{column.name}"
                for column, was, is_ in zip(table.columns, one, other, strict=True)
                if was != is_
            }
    return found


def put_back(engine: Engine, before: Contents, changed: set[str]) -> None:
    """Give the tables named in `changed` (by `differences`) the rows they had."""
    names = {name.partition(".")[0] for name in changed}
    with engine.begin() as connection:
        connection.execute(text(_LATER_CHECKS[engine.name]))
        for table in Base.metadata.sorted_tables:
            if table.name not in names:
                continue
            connection.execute(table.delete())
            rows = [dict(zip(table.columns.keys(), row, strict=True)) for row in before[table.name]]
            if rows:
                connection.execute(insert(table), rows)

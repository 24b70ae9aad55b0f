"""Two versions run beside each other for a while: the last release's code works on the newest schema.

So a migration only adds, in ways that code which does not know of it never notices. What nobody uses any more
is taken away in the release after. `RELEASED` is the newest revision of the last release.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from acr3d import settings
from acr3d.app import create_app
from acr3d.db.extensions import db
from tests.support.databases import close

RELEASED = "second_factor"  # from 0.3.0 on; 0.2.0 has to be stopped for an upgrade


@dataclass(frozen=True)
class Table:
    """What code that writes to a table has to know of it."""

    types: dict[str, str]
    required: frozenset[str]
    """The columns that must be given."""
    checks: dict[str, str]
    unique: frozenset[frozenset[str]]


def read(engine: sa.Engine) -> dict[str, Table]:
    inspector = sa.inspect(engine)
    return {name: _table(inspector, name) for name in inspector.get_table_names()}


def _table(inspector: sa.Inspector, name: str) -> Table:
    columns = inspector.get_columns(name)
    uniques = [one["column_names"] for one in inspector.get_unique_constraints(name)]
    uniques += [one["column_names"] for one in inspector.get_indexes(name) if one["unique"]]
    key = set(inspector.get_pk_constraint(name)["constrained_columns"])
    return Table(
        {one["name"]: str(one["type"]) for one in columns},
        frozenset(
            one["name"]
            for one in columns
            if not one["nullable"] and one["default"] is None and one["name"] not in key
        ),
        {str(one["name"]): one["sqltext"] for one in inspector.get_check_constraints(name)},
        frozenset(frozenset(map(str, names)) for names in uniques),
    )


def problems(before: dict[str, Table], after: dict[str, Table]) -> Iterator[str]:
    """What code that was made for `before` would notice."""
    for name, old in before.items():
        if name not in after:
            yield f"{name} is gone"
            continue
        new = after[name]
        for column, kind in old.types.items():
            if new.types.get(column) != kind:
                yield f"{name}.{column} is {new.types.get(column, 'gone')}"
        yield from (f"{name}.{column} must be given" for column in new.required - old.required)
        yield from (
            f"{name} has {sorted(one)} once only"
            for one in new.unique - old.unique
            if one <= old.types.keys()
        )
        yield from (f"{name} refuses more: {check}" for check in _stricter(old, new))


def _stricter(old: Table, new: Table) -> Iterator[str]:
    for name, text in new.checks.items():
        words, known = _words(text), old.checks.get(name)
        if known is None:
            if any(re.search(rf"\b{column}\b", text) for column in old.types):
                yield name
        elif text != known and (not words or not _words(known) <= words):
            yield name


def _words(text: str) -> set[str]:
    return set(re.findall(r"'([^']*)'", text))


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    app = create_app(settings.from_environment({"ACR3D_INSTANCE": str(tmp_path)}))
    with app.app_context():
        yield app
    close(app)


def test_the_last_releases_code_notices_no_migration(app: Flask) -> None:
    run = app.test_cli_runner()
    assert run.invoke(args=["db", "upgrade", RELEASED]).exit_code == 0
    before = read(db.engine)

    assert run.invoke(args=["db", "upgrade"]).exit_code == 0

    assert list(problems(before, read(db.engine))) == []


OLD = (
    "CREATE TABLE jobs (id INTEGER PRIMARY KEY, n INTEGER,"
    " state TEXT CONSTRAINT known CHECK (state IN ('a', 'b')))"
)


@pytest.mark.parametrize(
    ("new", "problem"),
    [
        (OLD.replace("n INTEGER", "n INTEGER, more TEXT, m INTEGER NOT NULL DEFAULT 0"), None),
        (OLD.replace("'b'", "'b', 'c'"), None),
        (OLD.replace("jobs", "tasks"), "jobs is gone"),
        (OLD.replace("n INTEGER", "number INTEGER"), "jobs.n is gone"),
        (OLD.replace("n INTEGER", "n TEXT"), "jobs.n is TEXT"),
        (OLD.replace("n INTEGER", "n INTEGER NOT NULL"), "jobs.n must be given"),
        (OLD.replace("n INTEGER", "n INTEGER, m INTEGER NOT NULL"), "jobs.m must be given"),
        (OLD.replace("n INTEGER", "n INTEGER UNIQUE"), "jobs has ['n'] once only"),
        (OLD.replace(", 'b'", ""), "jobs refuses more: known"),
        (OLD.replace("n INTEGER", "n INTEGER CONSTRAINT least CHECK (n > 0)"), "jobs refuses more: least"),
    ],
)
def test_what_older_code_would_notice_is_named(new: str, problem: str | None) -> None:
    tables = []
    for statement in (OLD, new):
        engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
        with engine.begin() as connection:
            connection.execute(sa.text(statement))
        tables.append(read(engine))
        engine.dispose()

    assert list(problems(*tables)) == ([problem] if problem else [])

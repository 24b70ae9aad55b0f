"""The index of lists and searches: made again by command, and for parts of an earlier version."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import delete, func, select, text, update

from acr3d.db.extensions import db
from acr3d.db.models import Part, PartSearch, SearchWord
from acr3d.db.session import transaction
from acr3d.parts import search_index
from acr3d.parts.filters import EVERY_PART
from acr3d.parts.search import search
from tests.support.databases import ON_BOTH
from tests.support.factories import make_part

pytestmark = ON_BOTH


def skus(query: str) -> list[str]:
    return [part.sku for part in search(query, EVERY_PART).parts]


def test_reindex_puts_right_what_other_programs_changed(in_app: Flask, runner: FlaskCliRunner) -> None:
    renamed, gone = make_part("P-1", name="Bracket"), make_part("P-2", name="Bolt")
    with transaction() as session:
        session.execute(update(Part).where(Part.id == renamed.id).values(name="Holder"))
        session.execute(update(Part).where(Part.id == gone.id).values(deleted_at=func.current_timestamp()))
    assert skus("holder") == []
    assert skus("") == ["P-1"]

    done = runner.invoke(args=["parts", "reindex"])

    assert done.output == "Indexed 1 part(s).\n"
    assert skus("holder") == ["P-1"]
    assert skus("bolt") == skus("bracket") == []
    assert db.session.scalars(select(SearchWord.word)).all() == ["holder"]


def test_parts_that_an_earlier_version_added_are_indexed(
    in_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("acr3d.parts.search_index._BATCH", 2)
    for number in range(5):
        make_part(f"P-{number}", name="Bracket")
    with transaction() as session:
        session.execute(delete(PartSearch).where(PartSearch.sku_key < "p-2"))
        session.execute(update(PartSearch).where(PartSearch.sku_key == "p-2").values(version=0, tokens="old"))

    assert search_index.catch_up() == 3
    assert search_index.catch_up() == 0
    assert skus("bracket") == ["P-0", "P-1", "P-2", "P-3", "P-4"]
    assert skus("old") == []
    if db.engine.dialect.name == "sqlite":
        with transaction() as session:  # raises when index and table differ
            session.execute(text("INSERT INTO part_fts (part_fts) VALUES ('integrity-check')"))


def test_an_upgrade_indexes_the_parts_that_are_there(in_app: Flask, runner: FlaskCliRunner) -> None:
    make_part("P-1", name="Bracket")
    assert runner.invoke(args=["db", "downgrade", "content_stamp"]).exit_code == 0

    assert runner.invoke(args=["db", "upgrade"]).exit_code == 0

    db.session.expire_all()
    assert skus("bracket") == ["P-1"]

"""Models in further formats: what a crashed child costs, and which pages a new file makes new."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from acr3d import sandbox
from acr3d.db.content_stamp import present_stamp
from acr3d.db.extensions import db
from acr3d.db.models import ModelFile, ModelVersion
from acr3d.db.session import end_read, transaction
from acr3d.jobs import model_files
from acr3d.settings import Settings
from tests.support.published import publish_box

Child = Callable[[Path], object]
Does = Callable[[Child], None]


@pytest.fixture
def config(sqlite_config: Settings) -> Settings:
    return sqlite_config


@pytest.fixture
def does(monkeypatch: pytest.MonkeyPatch) -> Does:
    """Sets what a child does instead of writing STL; USDZ cannot be written."""
    monkeypatch.setattr(model_files, "can_write", lambda file_format: file_format == "stl")

    def set_child(work: Child) -> None:
        def run(_module: str, args: list[str], _limits: object, **_more: Any) -> dict[str, Any]:
            work(Path(args[1]))
            return {}

        monkeypatch.setattr(sandbox, "run", run)

    return set_child


def writes(target: Path) -> None:
    target.write_bytes(b"solid")


def crashes(_target: Path) -> None:
    raise sandbox.ChildCrashed("no memory")


def refuses(_target: Path) -> None:
    raise sandbox.ChildRefused("no triangles", "none")


def rounds() -> int:
    """In how many rounds the poller tries something."""
    return next(count for count in range(10) if not model_files.catch_up(Event()))


def stamp() -> str:
    found = present_stamp().value
    end_read()
    return found


def test_a_crash_is_tried_again_in_later_rounds_and_a_refusal_is_not(in_app: Flask, does: Does) -> None:
    publish_box("BR-1")
    does(crashes)
    assert rounds() == model_files.MOST_TRIES == 3
    publish_box("BR-2")
    does(refuses)
    assert rounds() == 1
    publish_box("BR-3")
    does(crashes)
    assert model_files.catch_up(Event()) == 1
    does(writes)
    assert rounds() == 1

    stored = db.session.scalars(select(ModelFile.storage_path)).all()
    assert sorted(path is not None for path in stored) == [False, False, True]


def test_pages_are_made_anew_once_for_a_batch_and_not_for_drafts_or_failures(
    in_app: Flask, does: Does
) -> None:
    first, draft, last = (publish_box(sku) for sku in ("BR-1", "BR-2", "BR-3"))
    in_states({draft: "draft", first: "rejected", last: "rejected"})
    does(writes)
    before = stamp()
    assert model_files.catch_up(Event()) == 1
    assert stamp() == before

    in_states({first: "published", last: "published"})
    before, seen = stamp(), list[str]()
    does(crashes)
    assert model_files.catch_up(Event()) == 2
    assert stamp() == before
    does(lambda target: (seen.append(stamp()), writes(target)))
    assert model_files.catch_up(Event()) == 2

    assert seen == [before, before]
    assert stamp() != before
    assert model_files.published(first.part_id)[1].keys() == {"stl"}


def in_states(states: dict[Any, str]) -> None:
    with transaction() as session:
        for model, state in states.items():
            session.execute(
                update(ModelVersion).where(ModelVersion.id == model.version_id).values(state=state)
            )

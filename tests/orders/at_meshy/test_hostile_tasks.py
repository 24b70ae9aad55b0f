"""A hostile account: what it lists and delivers is stored within bounds, and no page or step breaks of it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from acr3d.db.extensions import db
from acr3d.db.models import Job, Part, UnmatchedTask, User
from acr3d.db.session import end_read
from acr3d.db.states import Status
from acr3d.engines.base import Capabilities
from acr3d.engines.meshy.provider import MeshyProvider
from acr3d.errors import InvalidInput
from acr3d.jobs import queries
from acr3d.orders import unmatched_actions
from tests.support.accounts import browser
from tests.support.at_meshy import created, file, made, step, task
from tests.support.contract.server import Answer, PreparedServer, raw_json
from tests.support.factories import box_glb

HOSTILE: dict[str, Any] = {
    "progress": 10**30,
    "preceding_tasks": -1,
    "created_at": 2**53,
    "expires_at": 2**53,
    "consumed_credits": 2**40,
    "texture_prompt": "steel\0\ud83d\n<b>" + "x" * 5_000,
    "thumbnail_url": "http://[",
    "task_error": [1],
    "report": {
        "sureness": math.nan,
        "texture_seen": "much",
        "guessed": {"a": "b"},
        "guesses": [{"axis": "inside"}, 7, {"axis": "width"}],
    },
    "metadata": {"a": {"b": []}},
}


def listed(*tasks: dict[str, object]) -> list[Answer]:
    """The whole list; it breaks the contract."""
    return [raw_json(200, list(tasks)), raw_json(200, [])]


def logged_in(app: Flask) -> FlaskClient:
    end_read()  # which would not see the new account
    return browser(app)


def test_hostile_tasks_are_listed_like_others(app: Flask, meshy: PreparedServer) -> None:
    meshy.answers += listed(made("odd") | HOSTILE, made("even"))

    rows = unmatched_actions.refresh()

    assert {row.task_id for row in rows} == {"odd", "even"}
    [odd] = [row for row in rows if row.task_id == "odd"]
    assert odd.texture_prompt.startswith("steel   <b>xxx")
    assert (len(odd.texture_prompt), odd.consumed_credits, odd.progress) == (800, None, 0)
    page = logged_in(app).get("/admin/unmatched-tasks")
    assert (page.status_code, "steel   &lt;b&gt;" in page.text) == (200, True)


def test_a_list_without_end_is_refused_with_a_sentence(app: Flask, meshy: PreparedServer) -> None:
    meshy.answers += [raw_json(200, [made(f"task-{n}") for n in range(3_000)])]

    with pytest.raises(InvalidInput, match="not a list of tasks"):
        unmatched_actions.refresh()

    assert db.session.scalars(select(UnmatchedTask)).all() == []


def test_ever_new_tasks_do_not_fill_the_database(
    app: Flask, meshy: PreparedServer, monkeypatch: pytest.MonkeyPatch, user: User
) -> None:
    monkeypatch.setattr(unmatched_actions, "_MOST_KEPT", 5)
    for first in (0, 4, 8):
        meshy.answers += listed(*(made(f"task-{n}") for n in range(first + 4, first, -1)))
        unmatched_actions.dismiss(unmatched_actions.refresh()[0].id, user)

    assert len(db.session.scalars(select(UnmatchedTask)).all()) == 5


def test_a_hostile_report_reaches_no_page(app: Flask, meshy: PreparedServer, job: Job, part: Part) -> None:
    url = {"model_urls": {"glb": f"{meshy.base}/model.glb"}}
    done = raw_json(200, task("SUCCEEDED") | HOSTILE | url)
    meshy.answers += [created(), done, done, file(box_glb())]

    step(app, job, 4)

    assert (job.status, job.error_message) == (Status.COMPLETE, None)
    [version] = queries.versions_of(part.id)
    assert version.report["engine"]["sureness"] is None
    admin = logged_in(app)
    for address in (f"/admin/parts/{part.id}", "/admin/jobs", f"/parts/{part.sku}"):
        assert admin.get(address).status_code == 200


def test_an_engine_that_cannot_delete_says_so(
    app: Flask, meshy: PreparedServer, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        MeshyProvider, "capabilities", Capabilities(list_tasks=True, balance=True), raising=True
    )
    meshy.answers += listed(made("theirs"))
    [row] = unmatched_actions.refresh()

    with pytest.raises(InvalidInput, match="Meshy deletes no tasks on request"):
        unmatched_actions.delete(row.id, user)

    page = logged_in(app).get("/admin/unmatched-tasks").text
    assert ("Not ours" in page, "Delete at Meshy" in page) == (True, False)

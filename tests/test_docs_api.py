"""docs/api.md: every route of the JSON API has an example, and every example is true."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from acr3d.db.session import transaction
from acr3d.db.types import utc_now
from acr3d.imports import actions, queue
from acr3d.imports.work import work
from acr3d.jobs import service
from acr3d.storage.blobs import storage
from tests.support import captures
from tests.support.accounts import bearer
from tests.support.at_meshy import KEY, listing, made, two_candidates
from tests.support.contract.server import PreparedServer, answer
from tests.support.factories import (
    box_glb,
    by_angle,
    finished_job,
    make_part,
    make_part_with_photos,
    make_user,
    picture,
)
from tests.web.test_media import version

PAGE = Path(__file__).parents[1] / "docs" / "api.md"
BLOCK = re.compile(r"^```http\n(.*?)^```$|^<!-- given: (.*?) -->$", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"<(\w+)>")


@pytest.fixture
def app(make_app: Callable[..., Flask], meshy: PreparedServer) -> Flask:
    return make_app(meshy_api_key=KEY, meshy_api_base=meshy.base)


def test_every_example_is_true(app: Flask, meshy: PreparedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    client, header, known = app.test_client(), bearer(app), dict[str, str]()
    given = {
        "a finished job": _finished_job,
        "a server that reads captures": partial(captures.install, monkeypatch),
        "an import that waits": _waiting_import,
        "an order without an answer": partial(_open_order, app, meshy),
        "tasks that no job follows": partial(_unmatched_tasks, meshy),
    }

    for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        if block[2]:
            with app.app_context():
                known |= given[block[2]]() or {}
            continue
        request, _, expected = block[1].partition("\n\n")
        line, _, body = request.partition("\n")
        answer = _send(client, header, _filled(line, known), _filled(body, known))
        status, _, shown = expected.strip().partition("\n")
        assert answer.status_code == int(status), f"{line}: {answer.text}"
        if shown:
            _compare(json.loads(shown), answer.json, known, line)


def test_every_route_of_the_api_has_an_example(app: Flask) -> None:
    examples = [block[1] for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8")) if block[1]]
    adapter = app.url_map.bind("localhost")
    shown = set()
    for example in examples:
        line = example.partition("\n")[0]
        method, path = NAME.sub("00000000-0000-4000-8000-000000000000", line).split(" ")
        endpoint, _ = adapter.match(path.partition("?")[0], method=method)
        shown.add(endpoint)

    routes = {rule.endpoint for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/")}
    assert routes - shown == set()


def _send(client: FlaskClient, header: dict[str, str], line: str, body: str) -> TestResponse:
    method, path = line.split(" ")
    if body.startswith("Upload-Offset"):
        return _piece(client, header, path, *body.splitlines())
    if body.startswith(("{", "[")) or not body:
        data = {"json": json.loads(body)} if body else {}
        return client.open(path, method=method, headers=header, **data)
    fields: dict[str, Any] = dict(field.split("=", 1) for field in body.splitlines())
    for name, value in fields.items():
        if value.startswith("@"):
            fields[name] = (io.BytesIO(picture(size=(300 + len(path), 300))), value[1:])
    return client.open(path, method=method, headers=header, data=fields, content_type="multipart/form-data")


def _piece(client: FlaskClient, header: dict[str, str], path: str, offset: str, data: str) -> TestResponse:
    name, _, value = offset.partition(": ")
    piece = header | {name: value, "Content-Type": "application/offset+octet-stream"}
    return client.patch(path, data=data.encode().ljust(40, b"."), headers=piece)


def _filled(text: str, known: dict[str, str]) -> str:
    return NAME.sub(lambda name: known[name[1]], text)


def _compare(shown: Any, got: Any, known: dict[str, str], where: str) -> None:
    """What is shown is there; names that are new take the value that was got."""
    if shown == "…":
        return
    if isinstance(shown, dict):
        for name, value in shown.items():
            assert name in got, f"{where}: no {name}"
            _compare(value, got[name], known, f"{where} {name}")
    elif isinstance(shown, list):
        assert len(shown) == len(got), f"{where}: {got}"
        for one, other in zip(shown, got, strict=True):
            _compare(one, other, known, where)
    elif isinstance(shown, str) and (name := NAME.fullmatch(shown)):
        assert known.setdefault(name[1], got) == got, where
    else:
        assert got == shown, where


def _finished_job() -> dict[str, str]:
    part = make_part("FL-200", name="Flange")
    raw = f"parts/{part.id}/raw/job.glb"
    storage().put(raw, box_glb())
    job = finished_job(part.id, raw_storage_path=raw)
    with transaction() as session:
        session.add(job)
        session.flush()
        rows = [version(job, number, "draft", f"parts/{part.id}/models/{number}.glb") for number in (1, 2)]
        session.add_all(rows)
        session.flush()
        return {"made": part.id, "done": job.id}


def _waiting_import() -> dict[str, str]:
    file = storage().temporary()
    file.write_text("sku,name\nWT-1,Washer\n")
    record = actions.begin(file, "parts.csv", None)
    while claimed := queue.claim(record.id):
        work(claimed, Event())
    return {"waiting": record.id}


def _open_order(app: Flask, meshy: PreparedServer) -> dict[str, str]:
    part, user = make_part_with_photos("CL-300"), make_user()
    job = service.start(part.id, by_angle(part), "meshy", {}, user)
    two_candidates(app, meshy, job)
    return {"unclear": job.id}


def _unmatched_tasks(meshy: PreparedServer) -> dict[str, str]:
    earlier = utc_now() - timedelta(minutes=1)
    tasks = listing(made("lost"), made("other", earlier, status="PENDING"))
    meshy.answers += [*tasks, answer(200, {})]
    return {}

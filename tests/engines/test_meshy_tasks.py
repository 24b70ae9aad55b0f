"""How Meshy's task objects are read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from acr3d.engines.meshy.client import MeshyClient
from acr3d.engines.meshy.task_reader import read_task
from acr3d.engines.remote_task import Task
from tests.engines.samples import DONE, ID, SIGNED
from tests.support.contract.server import (
    PreparedServer,
    answer,
)


def test_a_task_is_read_whole(server: PreparedServer, client: MeshyClient) -> None:
    server.answers = [answer(200, DONE | {"report": {"cells": 192}}, headers={"retry-after": "5"})]

    task = client.get(ID)

    assert task.succeeded
    assert task.ended
    assert task.created_at == datetime(2026, 10, 26, 7, 33, 20, tzinfo=UTC)
    assert task.expires_at is not None
    assert task.glb_url == SIGNED
    assert (task.progress, task.consumed_credits, task.retry_after) == (100, 30, 5)
    assert task.report == {"cells": 192}


@pytest.mark.parametrize(
    "empty",
    [
        {},
        dict.fromkeys(
            ["progress", "created_at", "started_at", "model_urls", "task_error", "consumed_credits"]
        ),
        {"started_at": 0, "finished_at": 0, "expires_at": 0, "model_urls": {}, "task_error": {"message": ""}},
        {"model_urls": {"glb": ""}, "progress": None, "texture_prompt": None},
    ],
)
def test_a_task_may_lack_everything_but_id_and_status(
    server: PreparedServer, client: MeshyClient, empty: dict[str, object]
) -> None:
    server.answers = [answer(200, {"id": "t", "status": "PENDING"} | empty)]

    task = client.get("t")

    assert task == Task(id="t", status="PENDING")


@pytest.mark.parametrize(
    "odd",
    [
        {
            "progress": "40",
            "created_at": "yesterday",
            "expires_at": 10**18,
            "model_urls": [],
            "task_error": "no",
        },
        {
            "progress": True,
            "consumed_credits": -1,
            "preceding_tasks": 1e400,
            "report": [1],
            "texture_prompt": 7,
        },
    ],
)
def test_fields_of_the_wrong_type_count_as_missing(odd: dict[str, object]) -> None:
    assert read_task({"id": "t", "status": "PENDING"} | odd) == Task(id="t", status="PENDING")


@pytest.mark.parametrize(
    ("status", "ended", "failed"),
    [
        ("PENDING", False, False),
        ("IN_PROGRESS", False, False),
        ("POLISHING", False, False),
        ("SUCCEEDED", True, False),
        ("FAILED", True, True),
        ("CANCELED", True, True),
        ("EXPIRED", True, True),
    ],
)
def test_the_status_decides_alone(status: str, ended: bool, failed: bool) -> None:
    task = read_task({"id": "t", "status": status, "task_error": {"message": "x"}, "progress": 99})

    assert (task.ended, task.failed) == (ended, failed)


@pytest.mark.parametrize(
    ("error", "input_refused"),
    [
        ({"type": "invalid_input", "message": "bad"}, True),
        ({"type": "server_error", "code": "moderation_blocked", "message": "bad"}, True),
        ({"type": "server_error", "message": "Please retry."}, False),
        ({"message": "old shape"}, False),
        (None, False),
    ],
)
def test_a_failure_says_whether_the_photos_were_to_blame(error: object, input_refused: bool) -> None:
    task = read_task({"id": "t", "status": "FAILED", "task_error": error})

    assert task.input_refused is input_refused

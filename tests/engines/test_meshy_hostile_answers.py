"""An answer that was made to break us is read within bounds, or counts as no answer."""

from __future__ import annotations

import gzip
import json
import time
from datetime import UTC, datetime

import pytest

from acr3d.engines import errors
from acr3d.engines.meshy.client import MeshyClient
from acr3d.engines.meshy.options import CreateOptions
from acr3d.engines.meshy.task_reader import read_task
from acr3d.engines.redact import redact
from tests.engines.samples import FRONT, ID
from tests.support.contract.server import Answer, Handler, PreparedServer, raw

TASK = {"id": ID, "status": "SUCCEEDED"}
SOON = 5


def _json(payload: object, headers: dict[str, str] | None = None) -> Answer:
    return raw(200, json.dumps(payload).encode(), headers)


def _drip_headers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nx-long: ")
    while not handler.server.over.wait(0.02):
        handler.wfile.write(b"x")


def test_headers_that_drip_hold_no_thread(server: PreparedServer, client: MeshyClient) -> None:
    server.answers = [_drip_headers] * 2
    began = time.monotonic()

    with pytest.raises(errors.Unanswered, match="too long"):
        client.get(ID)
    with pytest.raises(errors.OutcomeUnknown, match="too long"):
        client.create([FRONT], CreateOptions())

    assert time.monotonic() - began < SOON


def test_a_compressed_answer_is_not_unpacked(server: PreparedServer, client: MeshyClient) -> None:
    bomb = gzip.compress(b" " * 10_000_000 + json.dumps(TASK).encode())
    server.answers = [raw(200, bomb, {"content-encoding": "gzip"})]

    with pytest.raises(errors.Unanswered, match="unreadable"):
        client.get(ID)

    assert server.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[%s]" % b",".join([b'{"id": "a", "status": "PENDING"}'] * 400_000), id="tasks"),
        pytest.param(b"[%s]" % b",".join([b"[]"] * 1_000_000), id="lists"),
        pytest.param(b"[%s]" % b",".join([b'{"id": "a", "status": "PENDING"}'] * 1_001), id="a few too many"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'[{"id": "a", "status": "PENDING", "progress": %s}]' % (b"9" * 5_000), id="digits"),
    ],
)
def test_an_endless_list_is_no_answer(server: PreparedServer, client: MeshyClient, body: bytes) -> None:
    server.answers = [raw(200, body)]
    began = time.monotonic()

    with pytest.raises(errors.Unanswered):
        client.list()

    assert time.monotonic() - began < SOON


@pytest.mark.parametrize("balance", ["1e999", "NaN", "-Infinity", "1e300", "9" * 400, "12.5", "true", '"7"'])
def test_a_balance_that_is_no_number_of_credits_is_no_answer(
    server: PreparedServer, client: MeshyClient, balance: str
) -> None:
    server.answers = [raw(200, b'{"balance": %s}' % balance.encode())]

    with pytest.raises(errors.Unanswered, match="no balance"):
        client.balance()


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("99999999999999999999", 3600),
        ("-5", None),
        ("NaN", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600),
        ("Mon, 01 Jan 2024 00:00:00 GMT", 0),
        ("Mon, 01 Jan 2024 00:00:00 +99999999999999999999", None),
        ("Mon, 01 Jan 99999999999 00:00:00 GMT", None),
        ("x" * 5_000, None),
    ],
)
def test_an_absurd_wait_is_bounded(
    server: PreparedServer, client: MeshyClient, told: str, seconds: int | None
) -> None:
    server.answers = [_json(TASK, {"retry-after": told})]

    assert client.get(ID).retry_after == seconds


def test_another_task_than_the_one_asked_for_is_no_answer(
    server: PreparedServer, client: MeshyClient
) -> None:
    server.answers = [_json(TASK | {"id": "another"})]

    with pytest.raises(errors.Unanswered, match="not a task"):
        client.get(ID)


def test_every_field_of_a_task_is_within_bounds() -> None:
    task = read_task(
        TASK
        | {
            "progress": 10**400,
            "consumed_credits": 2**40,
            "preceding_tasks": float("nan"),
            "created_at": 2**53,
            "expires_at": 1_793_000_000_000,
            "texture_prompt": "a\0b\ud800\n" + "x" * 1_000_000,
            "task_error": {"message": "http://" * 1_000_000},
            "model_urls": {"glb": "https://assets.meshy.ai/\ud800"},
            "thumbnail_url": "https://assets.meshy.ai/" + "x" * 100_000,
            "report": {"sureness": float("inf"), "guessed": ["a\0b", {"x": "\ud800"}], "n": 10**400},
            "metadata": {f"name{n}\0": "x" * 10_000 for n in range(10_000)},
        }
    )

    assert (task.progress, task.consumed_credits, task.preceding_tasks, task.created_at) == (
        0,
        None,
        None,
        None,
    )
    assert task.expires_at == datetime(2026, 10, 26, 7, 33, 20, tzinfo=UTC)
    assert (task.glb_url, task.thumbnail_url) == (None, None)
    assert task.texture_prompt.startswith("a b? ".replace("?", " "))
    assert (len(task.texture_prompt), task.texture_prompt.isprintable()) == (800, True)
    assert len(task.error_message) <= 300
    assert task.report == {"sureness": None, "guessed": ["a b", {"x": " "}], "n": None}
    assert len(json.dumps(dict(task.metadata))) < 50_000


def test_a_status_of_its_own_means_that_the_task_runs() -> None:
    assert read_task(TASK | {"status": "\0POLISHING" * 1000}).status == "IN_PROGRESS"


@pytest.mark.parametrize("task_id", ["", "a\0", "\ud800", "x" * 201, "..", " a", 7, None])
def test_a_task_without_a_usable_id_is_none(task_id: object) -> None:
    with pytest.raises(ValueError, match="id"):
        read_task(TASK | {"id": task_id})


def test_a_long_foreign_text_is_shortened_at_once_and_shows_no_key() -> None:
    began = time.monotonic()

    line = redact("http://" * 1_000_000 + " msy_key", secrets=["msy_key"])

    assert time.monotonic() - began < 1
    assert len(line) <= 300

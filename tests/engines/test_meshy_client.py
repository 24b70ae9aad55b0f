"""The client against a real server on a port that holds every request and answer against the contract."""

import base64
import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from openapi_core import OpenAPI

from acr3d.engines import errors
from acr3d.engines.meshy.client import CreateOptions, MeshyClient, Timeouts, price_estimate
from acr3d.engines.remote_task import Task
from tests.support.contract.checker import DESCRIPTIONS, Contract
from tests.support.contract.server import (
    Answer,
    Handler,
    PreparedServer,
    answer,
    cut_off,
    prepared_server,
    raw,
    raw_json,
    silent,
)

KEY = "msy_SecretSecretSecretSecretSecret123456"
TASKS = "/openapi/v1/multi-image-to-3d"
FRONT, RIGHT = (b"\xff\xd8front", "front"), (b"\xff\xd8right", "right")
ID = "01999999-aaaa-7bbb-8ccc-dddddddddddd"
SIGNED = "https://assets.meshy.ai/u/tasks/x/output/model.glb?Expires=1&Signature=SIGNATURE&Key-Pair-Id=K"
DONE = {
    "id": ID,
    "type": "multi-image-to-3d",
    "status": "SUCCEEDED",
    "progress": 100,
    "preceding_tasks": 0,
    "created_at": 1793000000000,
    "started_at": 1793000004000,
    "finished_at": 1793000251000,
    "expires_at": 1793259451000,
    "model_urls": {"glb": SIGNED},
    "texture_prompt": "brushed steel",
    "task_error": {"message": ""},
    "consumed_credits": 30,
}


@pytest.fixture(params=DESCRIPTIONS, ids=lambda path: path.stem, scope="module")
def description(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


@pytest.fixture
def server(description: Path) -> Iterator[PreparedServer]:
    with prepared_server(Contract([description])) as running:
        yield running


@pytest.fixture
def client(server: PreparedServer) -> Iterator[MeshyClient]:
    with MeshyClient(server.base, KEY, timeouts=Timeouts(connect=2, read=0.5, create=0.5)) as made:
        yield made


def test_our_description_of_the_contract_is_valid_openapi(description: Path) -> None:
    OpenAPI.from_file_path(str(description)).check_spec()


# --- what is asked ----------------------------------------------------------------------------


def test_create_sends_the_photos_front_first_and_everything_that_must_not_be_left_to_defaults(
    server: PreparedServer, client: MeshyClient
) -> None:
    server.answers = [answer(202, {"result": ID})]

    task_id = client.create([FRONT, RIGHT], CreateOptions(texture_prompt="brushed steel"))

    assert task_id == ID
    [seen] = server.requests
    assert (seen.method, seen.path) == ("POST", TASKS)
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    pictures = [
        base64.b64decode(uri.removeprefix("data:image/jpeg;base64,")) for uri in seen.json["image_urls"]
    ]
    assert pictures == [FRONT[0], RIGHT[0]]
    assert {name: value for name, value in seen.json.items() if name != "image_urls"} == {
        "ai_model": "meshy-7.1",
        "should_texture": True,
        "enable_pbr": True,
        "texture_resolution": "2k",
        "texture_prompt": "brushed steel",
        "image_enhancement": False,
        "should_remesh": True,
        "topology": "triangle",
        "target_polycount": 100_000,
        "target_formats": ["glb"],
    }


def test_only_the_built_in_engine_is_told_the_angles(server: PreparedServer) -> None:
    server.answers = [answer(202, {"result": ID})]

    with MeshyClient(server.base, KEY, sends_angles=True) as client:
        client.create([FRONT, RIGHT], CreateOptions())

    assert server.requests[0].json["image_angles"] == ["front", "right"]


def test_any_success_status_of_a_create_is_taken(server: PreparedServer, client: MeshyClient) -> None:
    server.answers = [raw(200, b'{"result": "some-id"}')]

    assert client.create([FRONT], CreateOptions()) == "some-id"


def test_get_list_delete_and_balance_ask_what_the_contract_says(
    server: PreparedServer, client: MeshyClient
) -> None:
    server.answers = [
        answer(200, DONE),
        answer(200, [DONE, {"id": "b", "status": "PENDING"}]),
        raw(200, b""),
        answer(200, {"balance": 1234}),
    ]

    task = client.get(ID)
    page = client.list(3)
    client.delete(ID)
    balance = client.balance()

    assert (task.id, [each.id for each in page], balance) == (ID, [ID, "b"], 1234)
    assert [(seen.method, seen.path, seen.query) for seen in server.requests] == [
        ("GET", f"{TASKS}/{ID}", ""),
        ("GET", TASKS, "page_num=3&page_size=50&sort_by=-created_at"),
        ("DELETE", f"{TASKS}/{ID}", ""),
        ("GET", "/openapi/v1/balance", ""),
    ]


def test_an_id_cannot_lead_to_another_route(server: PreparedServer, client: MeshyClient) -> None:
    server.answers = [answer(404, {"message": "not found"})]

    with pytest.raises(errors.TaskNotFound):
        client.get("a/../../balance?x=1")

    assert server.requests[0].path == f"{TASKS}/a%2F..%2F..%2Fbalance%3Fx%3D1"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"target_polycount": 99}, "between 100 and 300000"),
        ({"target_polycount": 300_001}, "between 100 and 300000"),
        ({"texture_prompt": "x" * 601}, "at most 600"),
        ({"texture_prompt": "two\nlines"}, "one line"),
        ({"texture_prompt": "half a character: \ud83d"}, "one line"),
        ({"ai_model": ""}, "Name an AI model"),
    ],
)
def test_options_that_would_be_refused_are_refused_here(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        CreateOptions(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [0, 5])
def test_no_or_too_many_photos_are_not_sent(server: PreparedServer, client: MeshyClient, count: int) -> None:
    with pytest.raises(ValueError, match="one to 4"):
        client.create([FRONT] * count, CreateOptions())

    assert server.requests == []


@pytest.mark.parametrize(
    "base", ["", "api.meshy.ai", "ftp://api.meshy.ai", "https://user:pw@api.meshy.ai", "https://a/?q=1"]
)
def test_a_base_that_is_no_address_is_refused(base: str) -> None:
    with pytest.raises(ValueError, match="MESHY_API_BASE"):
        MeshyClient(base, KEY)


@pytest.mark.parametrize("key", ["", "msy_a b", "msy_a\n", "msy_ä"])
def test_a_key_that_cannot_be_one_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ValueError, match="API key") as refused:
        MeshyClient("https://api.meshy.ai", key)

    assert "msy_" not in str(refused.value)


# --- what comes back --------------------------------------------------------------------------


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
    assert Task.parse({"id": "t", "status": "PENDING"} | odd) == Task(id="t", status="PENDING")


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
    task = Task.parse({"id": "t", "status": status, "task_error": {"message": "x"}, "progress": 99})

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
    task = Task.parse({"id": "t", "status": "FAILED", "task_error": error})

    assert task.input_refused is input_refused


# --- what goes wrong --------------------------------------------------------------------------

UNLISTED = (409, 413, 422)  # for a create these are in no page, only in other people's clients
REFUSALS = [
    (400, "Invalid image", errors.InvalidRequest),
    (401, "Invalid API key", errors.KeyRefused),
    (402, "Insufficient credits", errors.NoCredits),
    (403, "Not in your plan", errors.PlanRefused),
    (409, "Task is running", errors.WrongState),
    (413, "Too large", errors.InvalidRequest),
    (422, "Unprocessable", errors.InvalidRequest),
    (429, "RateLimitExceeded", errors.RateLimited),
    (429, "something new", errors.RateLimited),
    (429, "NoMoreConcurrentTasks: the queue is full", errors.QueueFull),
    (429, "NoMorePendingTasks", errors.QueueFull),
]


@pytest.mark.parametrize(("status", "message", "kind"), REFUSALS)
def test_a_refused_create_was_definitely_not_made(
    server: PreparedServer, client: MeshyClient, status: int, message: str, kind: type[errors.RequestRefused]
) -> None:
    give = raw_json if status in UNLISTED else answer
    server.answers = [give(status, {"message": message}, {"retry-after": "7"})]

    with pytest.raises(errors.EngineError) as refused:
        client.create([FRONT], CreateOptions())

    assert type(refused.value) is kind
    assert not refused.value.unknown
    assert refused.value.permanent is not refused.value.repeatable
    assert (refused.value.status, refused.value.retry_after) == (status, 7)
    assert message in str(refused.value)
    assert len(server.requests) == 1


def test_a_permanent_refusal_and_one_that_waits_are_told_apart() -> None:
    assert errors.InvalidRequest.permanent
    assert not errors.SetupRefused.permanent
    assert not errors.TooMany.permanent
    assert errors.OutcomeUnknown.unknown
    assert not errors.OutcomeUnknown.repeatable


@pytest.mark.parametrize("key", ["code", "error", "error_code"])
def test_older_bodies_name_the_kind_of_429_elsewhere(
    server: PreparedServer, client: MeshyClient, key: str
) -> None:
    server.answers = [raw(429, f'{{"{key}": "NoMorePendingTasks"}}'.encode())]

    with pytest.raises(errors.QueueFull):
        client.create([FRONT], CreateOptions())


@pytest.mark.parametrize("body", [b"", b"<html>no</html>", b"[]", b'{"message": 5}', b"\xff\xfe"])
def test_a_refusal_with_an_unreadable_body_is_still_that_refusal(
    server: PreparedServer, client: MeshyClient, body: bytes
) -> None:
    server.answers = [raw(402, body)]

    with pytest.raises(errors.NoCredits, match="too few credits"):
        client.create([FRONT], CreateOptions())


def test_a_refusal_whose_words_are_cut_off_is_still_that_refusal(
    server: PreparedServer, client: MeshyClient
) -> None:
    server.answers = [raw(401, b'{"mess', headers={"content-length": "100", "connection": "close"})]

    with pytest.raises(errors.KeyRefused):
        client.create([FRONT], CreateOptions())


LOST_ANSWERS: list[tuple[str, Answer]] = [
    ("cut off", cut_off),
    ("timeout", silent),
    ("500", answer(500, {"message": "oops"})),
    ("503", raw(503, b"<html>busy</html>", headers={"retry-after": "9"})),
    ("no JSON", raw(202, b"<html>")),
    ("no id", raw(202, b'{"result": ""}')),
    ("odd id", raw(202, b'{"result": "a\\u0000b"}')),
    ("half a body", raw(202, b'{"result"', headers={"content-length": "90", "connection": "close"})),
]


@pytest.mark.parametrize("lost", [given for _, given in LOST_ANSWERS], ids=[name for name, _ in LOST_ANSWERS])
def test_a_create_without_a_usable_answer_is_unknown_and_not_repeated(
    server: PreparedServer, client: MeshyClient, lost: Answer
) -> None:
    server.answers = [lost, answer(202, {"result": "a second one"})]

    with pytest.raises(errors.OutcomeUnknown) as unknown:
        client.create([FRONT], CreateOptions())

    assert unknown.value.unknown
    assert not unknown.value.repeatable
    assert not unknown.value.permanent
    assert len(server.requests) == 1


READS: list[Callable[[MeshyClient], object]] = [
    lambda client: client.get("t"),
    lambda client: client.list(),
    lambda client: client.balance(),
]


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize(
    "lost", [cut_off, silent, raw_json(502, {"message": "x"}), raw(200, b"no"), raw(200, b"{}")]
)
def test_a_read_without_a_usable_answer_may_be_repeated(
    server: PreparedServer, client: MeshyClient, read: Callable[[MeshyClient], object], lost: Answer
) -> None:
    server.answers = [lost]

    with pytest.raises(errors.Unanswered) as lost_read:
        read(client)

    assert lost_read.value.repeatable
    assert not lost_read.value.unknown


def test_one_unreadable_task_spoils_its_page_so_that_no_paid_task_is_overlooked(
    server: PreparedServer, client: MeshyClient
) -> None:
    server.answers = [raw(200, b'[{"id": "a", "status": "PENDING"}, {"task": "b"}]')]

    with pytest.raises(errors.Unanswered):
        client.list()


def test_an_answer_that_drips_ends_at_the_time_limit(server: PreparedServer, client: MeshyClient) -> None:
    server.answers = [_drip]

    with pytest.raises(errors.Unanswered, match="too long"):
        client.get("t")


def _drip(handler: Handler) -> None:
    handler.send(200, {"content-length": "1000000"}, b"")
    while not handler.server.over.wait(0.05):
        handler.wfile.write(b" ")


def test_an_endless_answer_ends_at_the_size_limit(server: PreparedServer) -> None:
    server.answers = [_flood]

    with MeshyClient(server.base, KEY) as client, pytest.raises(errors.Unanswered, match="too large"):
        client.get("t")


def _flood(handler: Handler) -> None:
    handler.send(200, {"content-length": str(1 << 40)}, b"")
    while True:
        handler.wfile.write(b" " * 65536)


def test_nobody_listening_means_nothing_was_sent() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with MeshyClient(base, KEY) as client, pytest.raises(errors.Unreachable) as refused:
            client.create([FRONT], CreateOptions())

    assert refused.value.repeatable
    assert not refused.value.unknown


def test_a_connection_that_is_never_taken_means_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf, contextlib.ExitStack() as waiting:
        for _ in range(3):  # fill the queue of a server that takes nobody
            caller = waiting.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(deaf.getsockname())
        base = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        client = waiting.enter_context(MeshyClient(base, KEY, timeouts=Timeouts(connect=0.3)))
        with pytest.raises(errors.Unreachable, match="too long"):
            client.create([FRONT], CreateOptions())


def test_a_name_without_an_address_means_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_name(*_: object, **__: object) -> object:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)

    with MeshyClient("https://api.example.test", KEY) as client, pytest.raises(errors.Unreachable):
        client.create([FRONT], CreateOptions())


def test_a_server_that_speaks_no_tls_means_nothing_was_sent(server: PreparedServer) -> None:
    base = server.base.replace("http://", "https://")

    with MeshyClient(base, KEY, timeouts=Timeouts(connect=2)) as client, pytest.raises(errors.Unreachable):
        client.create([FRONT], CreateOptions())

    assert server.requests == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_with_the_key(
    server: PreparedServer, client: MeshyClient, status: int
) -> None:
    server.answers = [raw(status, b"", headers={"location": f"{server.base}/elsewhere"})]

    with pytest.raises(errors.WrongAddress, match="MESHY_API_BASE"):
        client.create([FRONT], CreateOptions())

    assert len(server.requests) == 1


def test_a_missing_route_is_a_wrong_address_and_not_a_lost_task(
    server: PreparedServer, client: MeshyClient
) -> None:
    server.answers = [raw_json(404, {"message": "NoMatchingRoute"}), raw_json(404, {"message": "not here"})]

    with pytest.raises(errors.WrongAddress):
        client.get(ID)
    with pytest.raises(errors.WrongAddress):
        client.create([FRONT], CreateOptions())


def test_an_expired_task_is_not_found(server: PreparedServer, client: MeshyClient) -> None:
    server.answers = [answer(404, {"message": "Task not found"})]

    with pytest.raises(errors.TaskNotFound, match="three days"):
        client.get(ID)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("12", 12), ("0", 0), ("999999999999", 3600), ("soon", None), ("-3", None), ("", None), ("1.5", None)],
)
def test_how_long_to_wait_is_read_when_it_makes_sense(
    server: PreparedServer, client: MeshyClient, value: str, seconds: int | None
) -> None:
    server.answers = [raw(429, b"{}", headers={"retry-after": value})]

    with pytest.raises(errors.RateLimited) as refused:
        client.balance()

    assert refused.value.retry_after == seconds


def test_how_long_to_wait_may_be_a_date(server: PreparedServer, client: MeshyClient) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    server.answers = [raw(429, b"{}", headers={"retry-after": later})]

    with pytest.raises(errors.RateLimited) as refused:
        client.balance()

    assert refused.value.retry_after in range(90, 101)


# --- what must not get out --------------------------------------------------------------------


def test_no_key_no_signed_address_and_no_image_in_errors_logs_or_reprs(
    server: PreparedServer, client: MeshyClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    picture = base64.b64encode(bytes(range(200))).decode()
    echo = f"bad key {KEY} for data:image/jpeg;base64,{picture} at {SIGNED} or {picture}"
    server.answers = [
        answer(200, DONE),
        answer(400, {"message": echo}),
        answer(200, {"id": "t", "status": "FAILED", "task_error": {"message": echo}}),
    ]

    done = client.get(ID)
    with pytest.raises(errors.InvalidRequest) as refused:
        client.create([(bytes(range(200)), "front")], CreateOptions())
    failed = client.get("t")

    shown = "\n".join(
        [repr(client), repr(done), str(refused.value), repr(refused.value), repr(failed), caplog.text]
    )
    for secret in (KEY, "SIGNATURE", picture[:40], picture[-40:]):
        assert secret not in shown
    assert "bad key [key] for [image] at https://assets.meshy.ai/u/tasks/x/output/model.glb" in str(
        refused.value
    )


def test_a_foreign_message_becomes_one_short_line() -> None:
    line = errors.cleaned("first\r\nsecond\x1b[31m\x00 " + "word " * 200)

    assert line.startswith("first second [31m word")
    assert len(line) <= 300


def test_one_client_serves_many_threads(server: PreparedServer) -> None:
    server.answers = [answer(200, {"balance": 7})] * 40
    got: list[int] = []

    with MeshyClient(server.base, KEY) as client:
        threads = [
            threading.Thread(target=lambda: got.extend(client.balance() for _ in range(10))) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert got == [7] * 40


# --- what it costs ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "config", "credits"),
    [
        ("meshy-7.1", {}, 30),
        ("latest", {"should_texture": False}, 20),
        ("meshy-7.1", {"texture_resolution": "8k"}, 35),
        ("meshy-7.1", {"texture_resolution": "8k", "geometry_resolution": "2k"}, 40),
        ("meshy-6", {"texture_resolution": "4k"}, 30),
        ("meshy-6-lite", {}, 15),
        ("meshy-6-lite", {"should_texture": False}, 5),
        ("meshy-9", CreateOptions().body(), 30),
    ],
)
def test_the_price_is_estimated_after_the_price_table(
    model: str, config: dict[str, object], credits: int
) -> None:
    assert price_estimate(model, config) == credits

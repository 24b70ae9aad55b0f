"""What each refusal of Meshy's means."""

from __future__ import annotations

import base64
import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from acr3d.engines import errors
from acr3d.engines.base import Retirement
from acr3d.engines.meshy.client import MeshyClient
from acr3d.engines.meshy.options import CreateOptions
from acr3d.engines.redact import redact
from tests.engines.samples import DONE, FRONT, ID, KEY, SIGNED
from tests.support.contract.server import (
    PreparedServer,
    answer,
    raw,
    raw_json,
)

UNLISTED = (405, 409, 413, 422)  # for a create these are in no page, only in other people's clients
REFUSALS = [
    (400, "Invalid image", errors.InputRefused),
    (400, "The model meshy-7 has been retired. Use meshy-7.1.", errors.ModelRetired),
    (400, "ai_model: meshy-7 is a retired model", errors.ModelRetired),
    (400, "Model meshy-7 is no longer supported", errors.ModelRetired),
    (400, "Invalid value for ai_model", errors.ModelRetired),
    (400, "The model is not in the picture", errors.InputRefused),
    (401, "Invalid API key", errors.KeyRefused),
    (402, "Insufficient credits", errors.NoCredits),
    (403, "Not in your plan", errors.PlanRefused),
    (405, "No such method", errors.InvalidRequest),
    (409, "Task is running", errors.WrongState),
    (413, "Too large", errors.InputRefused),
    (422, "Unprocessable", errors.InputRefused),
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


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({}, None),
        ({"deprecation": "false"}, None),
        ({"deprecation": "true"}, Retirement(None, "")),
        (
            {
                "deprecation": "@1790726400",
                "link": '<https://docs.example/end>; rel="deprecation"; type="text/html"',
            },
            Retirement(datetime(2026, 9, 30, tzinfo=UTC), "https://docs.example/end"),
        ),
        (
            {"deprecation": "Wed, 30 Sep 2026 00:00:00 GMT", "link": "<javascript:alert(1)>; rel=sunset"},
            Retirement(datetime(2026, 9, 30, tzinfo=UTC), ""),
        ),
        ({"deprecation": "@99999999999999999999", "link": "<<;;"}, Retirement(None, "")),
    ],
)
def test_an_announced_end_is_read_from_the_headers(
    server: PreparedServer, client: MeshyClient, headers: dict[str, str], told: Retirement | None
) -> None:
    server.answers = [answer(202, {"result": ID}, headers), answer(202, {"result": ID})]

    client.create([FRONT], CreateOptions())
    assert client.retirement == told

    client.create([FRONT], CreateOptions())
    assert client.retirement is None


def test_each_kind_of_error_says_what_the_caller_may_do() -> None:
    """The tree at the top of acr3d/engines/errors.py, row by row."""
    says = {
        kind.__name__: "".join(
            letter
            for letter, name in zip("pruA", ("permanent", "repeatable", "unknown", "of_account"), strict=True)
            if getattr(kind, name)
        )
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.EngineError)
    }

    assert says == {
        "EngineError": "",
        "Unreachable": "r",
        "Unanswered": "r",
        "OutcomeUnknown": "u",
        "RequestRefused": "",
        "InvalidRequest": "p",
        "InputRefused": "p",
        "TaskNotFound": "p",
        "WrongState": "p",
        "SetupRefused": "rA",
        "KeyRefused": "rA",
        "NoCredits": "rA",
        "PlanRefused": "rA",
        "ModelRetired": "rA",
        "WrongAddress": "rA",
        "AccountBusy": "rA",
        "RateLimited": "rA",
        "QueueFull": "rA",
    }


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
    line = redact("first\r\nsecond\x1b[31m\x00 " + "word " * 200)

    assert line.startswith("first second [31m word")
    assert len(line) <= 300

"""What is known after a call without a usable answer."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

import pytest

from acr3d.engines import errors
from acr3d.engines.meshy.client import MeshyClient, Timeouts
from acr3d.engines.meshy.options import CreateOptions
from tests.engines.samples import FRONT, KEY
from tests.support.contract.server import (
    Answer,
    Handler,
    PreparedServer,
    answer,
    cut_off,
    raw,
    raw_json,
    silent,
)

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

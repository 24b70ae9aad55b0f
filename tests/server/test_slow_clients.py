"""Clients that do not go on hold up nobody and are closed; those that are merely slow are served."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any

import pytest

from tests.support.looped import PATIENCE, QUICK, Looped, looped, rest_of

GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
FILE = b"\x07" * 30_000_000  # more than kernels keep for a socket
SILENT = {
    "not a byte": b"",
    "one byte": b"G",
    "half a head": b"GET / HTTP/1.1\r\nHost: a\r\n",
    "no body": POST % 5000,
    "half a body": POST % 5000 + b"x" * 2000,
}


def app(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    """Says how long the body was; sends a file."""
    if environ["PATH_INFO"] == "/file":
        start("200 OK", [("Content-Length", str(len(FILE)))])
        return environ["wsgi.file_wrapper"](BytesIO(FILE))
    answer = str(len(environ["wsgi.input"].read())).encode()
    start("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]


@pytest.fixture(scope="module")
def server() -> Iterator[Looped]:
    with looped(app) as running:
        yield running


@pytest.mark.parametrize("sent", SILENT.values(), ids=SILENT)
def test_who_does_not_finish_sending_is_closed_and_meanwhile_others_are_answered(
    server: Looped, sent: bytes
) -> None:
    slow = [server.connect(sent) for _ in range(10)]
    answered = _seconds(lambda: server.ask(GET).endswith(b"0"))
    closed = _seconds(lambda: all(rest_of(line) == b"" for line in slow))

    assert answered < QUICK.head / 2  # with its only thread
    assert closed < 5


def test_a_dripped_body_is_closed(server: Looped) -> None:
    with server.connect(POST % 5000) as line:
        end = time.monotonic() + PATIENCE
        while _is_open(line):
            assert time.monotonic() < end
            with contextlib.suppress(ConnectionError):
                line.sendall(b"x")
            time.sleep(0.05)


def test_a_reader_that_never_reads_is_closed_and_meanwhile_others_are_answered(server: Looped) -> None:
    slow = [server.connect(b"GET /file HTTP/1.1\r\nHost: a\r\n\r\n", window=8192) for _ in range(5)]
    answered = _seconds(lambda: server.ask(GET).endswith(b"0"))

    assert answered < QUICK.head
    end = time.monotonic() + PATIENCE
    while any(_is_open(line) for line in slow):
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_slow_reader_above_the_least_rate_gets_all(server: Looped) -> None:
    received = 0
    with server.connect(b"GET /file HTTP/1.0\r\n\r\n", window=65536) as line:
        begun = time.monotonic()
        while piece := line.recv(65536):
            received += len(piece)
            if time.monotonic() - begun < 3 * QUICK.stall:
                time.sleep(0.05)

    assert received > len(FILE)


def test_a_slow_body_above_the_least_rate_is_taken(server: Looped) -> None:
    with server.connect(POST % 100_000) as line:
        for _ in range(20):
            line.sendall(b"x" * 5000)
            time.sleep(0.05)

        assert rest_of(line).endswith(b"100000")


def test_a_kept_connection_is_closed_when_nothing_more_is_asked(server: Looped) -> None:
    with server.connect(GET.replace(b"close", b"keep-alive")) as line:
        kept = _seconds(lambda: rest_of(line).endswith(b"0"))

    assert QUICK.idle < kept < 5


def test_an_address_has_so_many_connections_but_not_a_proxy_here(
    server: Looped, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [server.connect() for _ in range(QUICK.per_address + 1)]
    assert server.ask(GET).endswith(b"0")
    for line in lines:
        line.close()

    monkeypatch.setattr("acr3d.server.listener._client", lambda _: "203.0.113.7")
    lines = [server.connect() for _ in range(QUICK.per_address)]
    assert server.ask(GET) == b""
    for line in lines:
        rest_of(line)
    assert server.ask(GET).endswith(b"0")


def test_urgent_data_does_not_keep_the_loop_awake(server: Looped) -> None:
    with server.connect() as line:
        line.send(b"!", socket.MSG_OOB)
        assert _seconds(lambda: rest_of(line) == b"") < QUICK.head


def _seconds(happens: Any) -> float:
    begun = time.monotonic()
    assert happens()
    return time.monotonic() - begun


def _is_open(line: socket.socket) -> bool:
    """Whether the other side has not reset the connection."""
    watched = select.poll()
    watched.register(line, 0)
    return not watched.poll(0)

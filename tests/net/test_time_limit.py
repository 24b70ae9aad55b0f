"""A call ends in time, however slowly the other side sends or reads."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from acr3d.net.time_limit import TimeLimitedTransport, time_limit
from tests.support.contract.server import Answer, Handler, PreparedServer, answer, raw

LIMIT = 0.5
SOON = 5  # on a busy host


@pytest.fixture
def http(server: PreparedServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.base, transport=TimeLimitedTransport(), timeout=30) as client:
        yield client


def _drip_headers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nx-long: ")
    while not handler.server.over.wait(0.02):
        handler.wfile.write(b"x")


def _drip_body(handler: Handler) -> None:
    handler.send(200, {"content-length": "1000000"}, b"x")
    while not handler.server.over.wait(0.02):
        handler.wfile.write(b"x")


def _silence(handler: Handler) -> None:
    handler.server.over.wait(30)


@contextlib.contextmanager
def _deaf_server() -> Iterator[str]:
    """Takes connections and reads nothing from them."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


@pytest.mark.parametrize("slow", [_drip_headers, _drip_body, _silence])
def test_a_slow_answer_ends_at_the_limit(server: PreparedServer, http: httpx.Client, slow: Answer) -> None:
    server.answers = [slow]
    began = time.monotonic()

    with time_limit(LIMIT), pytest.raises(httpx.ReadTimeout):
        http.get("/")

    assert LIMIT <= time.monotonic() - began < SOON


def test_a_server_that_reads_nothing_holds_no_sender(server: PreparedServer, http: httpx.Client) -> None:
    began = time.monotonic()

    with _deaf_server() as base, time_limit(LIMIT), pytest.raises(httpx.WriteTimeout):
        http.post(base, content=bytes(50 << 20))

    assert time.monotonic() - began < SOON


def test_nothing_is_sent_when_the_time_is_up(server: PreparedServer, http: httpx.Client) -> None:
    with time_limit(0), pytest.raises(httpx.ConnectTimeout):
        http.get("/")

    assert server.requests == []


def test_the_next_call_has_a_time_of_its_own_on_the_same_connection(
    server: PreparedServer, http: httpx.Client
) -> None:
    server.answers = [answer(200, {"balance": 7}), raw(200, b"x"), _silence, raw(200, b"y")]
    for expected in (b'{"balance": 7}', b"x"):
        with time_limit(SOON):
            assert http.get("/openapi/v1/balance").content == expected
    with time_limit(0.1), pytest.raises(httpx.ReadTimeout):
        http.get("/")

    with time_limit(SOON):
        assert http.get("/").content == b"y"


def test_a_limit_around_many_calls_holds_for_each(server: PreparedServer, http: httpx.Client) -> None:
    server.answers = [raw(200, b"x"), _silence]
    began = time.monotonic()

    with time_limit(LIMIT):
        with time_limit(SOON):
            assert http.get("/").content == b"x"
        with time_limit(SOON), pytest.raises(httpx.ReadTimeout):
            http.get("/")

    assert time.monotonic() - began < SOON

"""Requests as the loop hands them to an application: large bodies, ranges, kept connections."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterable
from io import BytesIO
from typing import Any, NoReturn

import pytest
from werkzeug.wrappers import Response

from acr3d.server import BODY_FOLLOWS
from acr3d.server.request import ASK_ABOVE
from tests.support.looped import looped, rest_of

LARGE = ASK_ABOVE + 1
POST = b"POST %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n"


class Uploads:
    """Takes large bodies under /take only."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if BODY_FOLLOWS in environ:
            self.asked += 1
            assert environ["wsgi.input"].read() == b""
        if environ["PATH_INFO"] != "/take":
            answer = Response("not here", 403)
        elif BODY_FOLLOWS in environ:
            answer = Response(status=100)
        else:
            answer = Response(str(len(environ["wsgi.input"].read())))
        return answer(environ, start)


def test_a_large_body_is_read_when_the_app_takes_it() -> None:
    uploads = Uploads()
    with looped(uploads) as server, server.connect(POST % b"/take" + LENGTH % LARGE) as line:
        line.sendall(b"x" * LARGE)
        assert rest_of(line).endswith(str(LARGE).encode())

    assert uploads.asked == 1


def test_a_client_that_waits_for_leave_gets_it_only_from_the_app() -> None:
    head = POST + b"Expect: 100-continue\r\n" + LENGTH
    with looped(Uploads()) as server:
        assert server.ask(head % (b"/other", LARGE)).startswith(b"HTTP/1.1 403")
        with server.connect(head % (b"/take", LARGE)) as line:
            assert line.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
            line.sendall(b"x" * LARGE)
            assert rest_of(line).endswith(str(LARGE).encode())


def test_who_may_not_send_a_large_body_reads_why_while_still_sending() -> None:
    with looped(Uploads()) as server, server.connect(POST % b"/other" + LENGTH % LARGE) as line:
        line.sendall(b"x" * 500_000)
        answer = rest_of(line)

    assert answer.startswith(b"HTTP/1.1 403")
    assert answer.endswith(b"not here")


def test_a_large_body_without_a_length_is_asked_for_too() -> None:
    chunks = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
    with looped(Uploads()) as server:
        with server.connect(head % b"/take" + 20 * chunks + b"0\r\n\r\n") as line:
            assert rest_of(line).endswith(str(20 * 0x10000).encode())
        with server.connect(head % b"/other" + 17 * chunks) as line:
            assert rest_of(line).startswith(b"HTTP/1.1 403")


def test_a_body_that_finds_no_room_is_a_fault_that_the_app_can_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    def app(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        with pytest.raises(OSError, match="No space left"):
            environ["wsgi.input"].read()
        return Response("full", 503)(environ, start)

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with looped(app) as server, server.connect(POST % b"/" + LENGTH % 200_000) as line:
        line.sendall(b"x" * 200_000)
        assert rest_of(line).endswith(b"full")


def test_part_of_a_file_is_sent_as_a_file() -> None:
    def app(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        body = environ["wsgi.file_wrapper"](BytesIO(bytes(range(100))))
        answer = Response(body, direct_passthrough=True)
        answer.make_conditional(environ, accept_ranges=True, complete_length=100)
        return answer(environ, start)

    with looped(app) as server:
        answer = server.ask(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nRange: bytes=10-12\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 206")
    assert answer.endswith(b"\r\n\r\n\x0a\x0b\x0c")


def test_a_connection_is_kept_after_an_answer_without_a_body() -> None:
    asked: list[str] = []

    def app(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        asked.append(environ["PATH_INFO"])
        return Response(status=304)(environ, start)

    with looped(app) as server, server.connect(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n") as line:
        line.recv(1000)
        line.sendall(b"GET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert rest_of(line).startswith(b"HTTP/1.1 304")

    assert asked == ["/1", "/2"]


def test_a_stop_answers_what_was_asked_and_then_closes() -> None:
    working, go_on = threading.Event(), threading.Event()

    def app(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        working.set()
        assert go_on.wait(10)
        return Response("done")(environ, start)

    with looped(app) as server, server.connect(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") as line:
        assert working.wait(10)
        server.loop.stop_accepting()
        go_on.set()
        answer = rest_of(line)

    assert b"Connection: close" in answer
    assert answer.endswith(b"done")

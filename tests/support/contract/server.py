"""A real HTTP server on a port of 127.0.0.1: it gives prepared answers and checks both sides' contract."""

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.contract.checker import Contract


@dataclass
class Seen:
    """One request as it arrived; header names in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Answer = Callable[["Handler"], None]


def answer(status: int, payload: object = None, headers: dict[str, str] | None = None) -> Answer:
    """An answer that must keep the contract."""

    def give(handler: "Handler") -> None:
        body = b"" if payload is None else json.dumps(payload).encode()
        sent = {"content-type": "application/json"} | (headers or {})
        handler.server.check(handler.seen, (status, sent, body))
        handler.send(status, sent, body)

    return give


def raw(status: int, body: bytes, headers: dict[str, str] | None = None) -> Answer:
    """An answer that may break the contract."""
    return lambda handler: handler.send(status, headers or {}, body)


def raw_json(status: int, payload: object, headers: dict[str, str] | None = None) -> Answer:
    """The same with a JSON body."""
    return raw(status, json.dumps(payload).encode(), {"content-type": "application/json"} | (headers or {}))


def cut_off(handler: "Handler") -> None:
    """Take the request in and drop the connection without a word."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def silent(handler: "Handler") -> None:
    """Take the request in and answer nothing until the test is over."""
    handler.server.over.wait(30)
    handler.close_connection = True


class Always(list[Answer]):
    """Answers that never run out: `give` decides by the request."""

    def __init__(self, give: Answer) -> None:
        super().__init__()
        self.give = give

    def pop(self, _index: object = 0) -> Answer:
        return self.give


@dataclass
class PreparedServer:
    """`answers` are given in turn; `requests` are what came in; `problems` what broke the contract."""

    contract: Contract
    answers: list[Answer] = field(default_factory=list)
    requests: list[Seen] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    base: str = ""

    def check(self, seen: Seen, given: "tuple[int, dict[str, str], bytes] | None") -> None:
        self.contract.check(seen.method, seen.path, seen.query, seen.headers, seen.body, given)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"
    seen: Seen

    def handle_one_request(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle_one_request()

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        self.seen = Seen(self.command, path, query, headers, body)
        self.server.prepared.requests.append(self.seen)
        self.server.prepared.answers.pop(0)(self)

    do_POST = do_DELETE = do_GET  # noqa: N815

    def send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in ({"content-length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    prepared: PreparedServer

    @property
    def over(self) -> threading.Event:
        return self.prepared.over

    def check(self, seen: Seen, given: "tuple[int, dict[str, str], bytes] | None") -> None:
        self.prepared.check(seen, given)

    def handle_error(self, *_: object) -> None:
        """A client that went away is part of the tests."""


@contextlib.contextmanager
def prepared_server(contract: Contract) -> Iterator[PreparedServer]:
    """Runs while the block does; fails the test when anything broke the contract."""
    prepared = PreparedServer(contract)
    server = _Server(("127.0.0.1", 0), Handler)
    server.prepared = prepared
    prepared.base = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True)
    thread.start()
    try:
        yield prepared
    finally:
        prepared.over.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
    assert contract.problems == []

"""Clients that hold a connection and do not go on, each in one of five ways."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from dataclasses import dataclass

_DRIP_SECONDS = 2.0
_POST = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000\r\n\r\n"


@dataclass(frozen=True)
class Kind:
    """What it sends at first, and whether it then sends a byte every two seconds, or never reads."""

    name: str
    sends: bytes
    drips: bool = False
    reads: bool = True


def kinds(file: str) -> list[Kind]:
    """The five. `file` is the path of one that does not fit into the kernel's buffers."""
    get = f"GET {file} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    return [
        Kind("half a head", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"),
        Kind("one byte", b"G"),
        Kind("no body", _POST),
        Kind("dripped body", _POST, drips=True),
        Kind("never reads", get, reads=False),
    ]


class Crowd:
    """`count` slow connections to a port. Call `turn` again and again."""

    def __init__(self, port: int, count: int, file: str) -> None:
        self.closed_after: dict[str, list[float]] = {kind.name: [] for kind in kinds(file)}
        self._begun = self._next_drip = time.monotonic()
        self._lines: dict[int, tuple[socket.socket, Kind]] = {}
        self._watched = select.poll()
        for number in range(count):
            kind = kinds(file)[number % 5]
            line = socket.socket()
            if not kind.reads:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            line.connect(("127.0.0.1", port))
            line.sendall(kind.sends)
            self._lines[line.fileno()] = line, kind
            self._watched.register(line, select.POLLIN if kind.reads else 0)

    @property
    def open_count(self) -> int:
        return len(self._lines)

    def turn(self, seconds: float) -> None:
        """Notice for `seconds` what was closed, and drip."""
        end = time.monotonic() + seconds
        while self._lines and (left := end - time.monotonic()) > 0:
            self._drip()
            for number, _events in self._watched.poll(min(left, 0.5) * 1000):
                self._note(number)

    def close(self) -> None:
        for number in list(self._lines):
            self._forget(number)

    def _drip(self) -> None:
        if time.monotonic() < self._next_drip:
            return
        self._next_drip = time.monotonic() + _DRIP_SECONDS
        for line, kind in self._lines.values():
            if kind.drips:
                with contextlib.suppress(ConnectionError):
                    line.send(b"x")

    def _note(self, number: int) -> None:
        """Whatever a connection here tells is its end: none of them is owed an answer that it would read."""
        self.closed_after[self._lines[number][1].name].append(time.monotonic() - self._begun)
        self._forget(number)

    def _forget(self, number: int) -> None:
        self._watched.unregister(number)
        self._lines.pop(number)[0].close()

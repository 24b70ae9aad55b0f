"""An httpx transport whose calls end in time, however slowly the other side sends or reads.

httpx limits every single read and write: a server that sends a byte every two seconds would hold a thread for
ever. Here the whole call has a limit, from looking up the name to the last byte of the answer.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from ssl import SSLContext
from typing import Any

import httpcore
import httpx

from acr3d.net.guard import addresses_of, connect_to_first

_PIECE_BYTES = 1 << 16  # a write's limit is looked at between two pieces
_IDLE_SECONDS = 5.0
_ends_at: ContextVar[float] = ContextVar("ends_at", default=math.inf)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Calls of a TimeLimitedTransport inside the block, in this thread, end within `seconds` altogether, or
    within what is left of a limit around it."""
    token = _ends_at.set(min(_ends_at.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _ends_at.reset(token)


class TimeLimitedTransport(httpx.HTTPTransport):
    """For one server, many calls and many threads; uses no proxy, as downloads (net.guard) do not.

    Raises httpx's timeouts when the time is up: ConnectTimeout before anything was sent, otherwise
    ReadTimeout or WriteTimeout.
    """

    def __init__(self) -> None:
        context = httpx.create_ssl_context()
        super().__init__(verify=context)
        # httpx takes no network backend; everything else of its transport is kept.
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, network_backend=_Backend(), keepalive_expiry=_IDLE_SECONDS
        )


class _Backend(httpcore.NetworkBackend):
    def __init__(self) -> None:
        self._connector = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        def connect(address: str) -> httpcore.NetworkStream:
            left = _left(timeout, httpcore.ConnectTimeout)
            return self._connector.connect_tcp(address, port, left, local_address, socket_options)

        return _Stream(connect_to_first(addresses_of(host, port), connect))


class _Stream(httpcore.NetworkStream):
    """Looks before every read and write how much of the present call's time is left."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        view = memoryview(buffer)
        for first in range(0, len(view), _PIECE_BYTES):
            piece = bytes(view[first : first + _PIECE_BYTES])
            self._stream.write(piece, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(timeout: float | None, late: type[httpcore.TimeoutException]) -> float | None:
    """The seconds that one step may take: `timeout`, and no more than is left. Raises `late`."""
    left = _ends_at.get() - time.monotonic()
    if left <= 0:
        raise late
    seconds = left if timeout is None else min(timeout, left)
    return None if math.isinf(seconds) else seconds

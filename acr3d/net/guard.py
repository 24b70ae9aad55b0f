"""SSRF guard: an httpx transport that connects to public addresses only and enforces deadlines.

Addresses are checked when connecting, not when a name is looked up: the host is resolved once, all its
addresses are checked, the connection goes to a checked address, and the peer's address is checked again. So a
name server that gives a different answer the second time (DNS rebinding) gains nothing. TLS still verifies
the host name.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from ssl import SSLContext
from typing import Any

import httpcore
import httpx

Resolve = Callable[[str, int], list[str]]

_READ_SLICE_SECONDS = 0.25  # how soon a waiting read notices a stop
_CONNECT_SECONDS = 10.0
# Of IPv6 only global unicast is public, RFC 4291: not fec0::/10, nor forms that stand for an IPv4 address.
# Inside it 6to4 embeds an address, too, and 3fff::/20 is for examples.
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(one) for one in ("192.0.0.0/24", "192.88.99.0/24", "2002::/16", "3fff::/20")
)

# At DEBUG level httpcore logs all response headers, including signed redirect targets.
logging.getLogger("httpcore").setLevel(logging.INFO)


class PrivateAddress(Exception):
    """The host has an address in a private network."""


class StopRequested(Exception):
    """The server is shutting down."""


class DeadlineExceeded(Exception):
    """The exchange took longer than allowed."""


class Deadline:
    """The time limits of one exchange, in total and for silence, and its stop signal."""

    def __init__(self, seconds: float, stall_seconds: float, stop: threading.Event | None = None) -> None:
        self.stall_seconds = stall_seconds
        self._end = time.monotonic() + seconds
        self._stop = stop

    def check(self) -> None:
        """Raises StopRequested or DeadlineExceeded."""
        if self._stop is not None and self._stop.is_set():
            raise StopRequested
        if time.monotonic() > self._end:
            raise DeadlineExceeded


def resolve_host(host: str, port: int) -> list[str]:
    """The numeric addresses of `host`, in the system's order of preference."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def addresses_of(host: str, port: int, resolve: Resolve = resolve_host) -> list[str]:
    """The numeric addresses of `host`. Raises httpcore.ConnectError."""
    try:
        return resolve(host, port)
    except (OSError, UnicodeError) as problem:
        raise httpcore.ConnectError("no address") from problem


def connect_to_first(
    addresses: Sequence[str], connect: Callable[[str], httpcore.NetworkStream]
) -> httpcore.NetworkStream:
    """A stream to the first address that takes a connection. Raises what the last one raised."""
    last_error: Exception = httpcore.ConnectError("no address")
    for address in addresses:
        try:
            return connect(address)
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as problem:
            last_error = problem
    raise last_error


def is_public(address: str) -> bool:
    """Whether a numeric address is on the public Internet; sees through IPv6 forms that embed an IPv4 one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif ip.teredo is not None or ip not in _GLOBAL_UNICAST:
            return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _NOT_PUBLIC)


class GuardedTransport(httpx.BaseTransport):
    """An httpx transport for one exchange. Only `private_hosts`, (host, port), may have private addresses.

    Uses no proxy. Raises PrivateAddress, StopRequested, DeadlineExceeded and httpcore's errors.
    """

    def __init__(
        self, deadline: Deadline, private_hosts: Collection[tuple[str, int]], resolve: Resolve = resolve_host
    ) -> None:
        backend = _GuardedBackend(deadline, private_hosts, resolve)
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(), network_backend=backend, max_keepalive_connections=0
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        extensions = {"timeout": {"connect": _CONNECT_SECONDS}}
        sent = httpcore.Request(
            request.method, url, headers=request.headers.raw, content=request.read(), extensions=extensions
        )
        response = self._pool.handle_request(sent)
        return httpx.Response(response.status, headers=response.headers, stream=_ResponseBody(response))

    def close(self) -> None:
        self._pool.close()


class _ResponseBody(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Any:
        return self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


class _GuardedBackend(httpcore.NetworkBackend):
    def __init__(
        self, deadline: Deadline, private_hosts: Collection[tuple[str, int]], resolve: Resolve
    ) -> None:
        self._deadline = deadline
        self._private_hosts = private_hosts
        self._resolve = resolve
        self._connector = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        check_address = self._allow_any if (host, port) in self._private_hosts else self._require_public
        for address in (addresses := addresses_of(host, port, self._resolve)):
            check_address(address)

        def connect(address: str) -> httpcore.NetworkStream:
            self._deadline.check()
            return self._connector.connect_tcp(address, port, timeout, local_address, socket_options)

        stream = connect_to_first(addresses, connect)
        try:
            check_address(stream.get_extra_info("server_addr")[0])
        except PrivateAddress:
            stream.close()
            raise
        return _DeadlineStream(stream, self._deadline)

    @staticmethod
    def _require_public(address: str) -> None:
        if not is_public(address):
            raise PrivateAddress

    @staticmethod
    def _allow_any(_address: str) -> None:
        """A configured host may have any address."""


class _DeadlineStream(httpcore.NetworkStream):
    """A stream that enforces a deadline on all reads and writes, and limits silence."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        silence_ends = time.monotonic() + self._deadline.stall_seconds
        while True:
            self._deadline.check()
            try:
                return self._stream.read(max_bytes, _READ_SLICE_SECONDS)
            except httpcore.ReadTimeout:
                if time.monotonic() > silence_ends:
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._deadline.check()
        self._stream.write(buffer, self._deadline.stall_seconds)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        self._deadline.check()
        return _DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, timeout), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

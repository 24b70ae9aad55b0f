"""Connections that go only where they may, and never wait longer than they should.

An address is checked when it is dialled, not when a name is looked up: the name is resolved once, every
address it gives is judged, and the connection is made to a judged address and judged again by its peer. So a
name server that answers differently the second time gains nothing. TLS still checks the name.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterable
from ssl import SSLContext
from typing import Any

import httpcore
import httpx

Resolve = Callable[[str, int], list[str]]

_READ_SLICE_SECONDS = 0.25  # how soon a waiting read notices that we are stopping
_CONNECT_SECONDS = 10.0
_IPV4_IN_IPV6 = tuple(ipaddress.IPv6Network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16"))

# At DEBUG it writes every response header, signed redirect targets included.
logging.getLogger("httpcore").setLevel(logging.INFO)


class PrivateAddress(Exception):
    """The name leads to an address inside a network, where what we fetch has no business to be."""


class StopRequested(Exception):
    """We are shutting down."""


class DeadlineExceeded(Exception):
    """The whole exchange took longer than it may."""


class Deadline:
    """How long one exchange may take in all and in silence, and whether we still want it."""

    def __init__(self, seconds: float, stall_seconds: float, stop: threading.Event | None = None) -> None:
        self.stall_seconds = stall_seconds
        self._end = time.monotonic() + seconds
        self._stop = stop

    def check(self) -> None:
        """Raises Stopped or TooSlow."""
        if self._stop is not None and self._stop.is_set():
            raise StopRequested
        if time.monotonic() > self._end:
            raise DeadlineExceeded


def resolve_host(host: str, port: int) -> list[str]:
    """The numeric addresses of `host`, in the system's order of preference."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether a numeric address lies in the open Internet, also behind IPv6 forms that carry an IPv4 one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif ip.teredo is not None or any(ip in network for network in _IPV4_IN_IPV6):
            return False
    return ip.is_global and not ip.is_multicast


class GuardedTransport(httpx.BaseTransport):
    """An httpx transport for one exchange; names in `private_hosts` may lie inside a network.

    Knows no proxies. Raises AddressRefused, Stopped, TooSlow and httpcore's errors.
    """

    def __init__(
        self, patience: Deadline, private_hosts: Collection[tuple[str, int]], resolve: Resolve = resolve_host
    ) -> None:
        backend = _GuardedBackend(patience, private_hosts, resolve)
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
        sent = httpcore.Request(request.method, url, headers=request.headers.raw, extensions=extensions)
        answer = self._pool.handle_request(sent)
        return httpx.Response(answer.status, headers=answer.headers, stream=_ResponseBody(answer))

    def close(self) -> None:
        self._pool.close()


class _ResponseBody(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Any:
        return self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


class _GuardedBackend(httpcore.NetworkBackend):
    def __init__(
        self, patience: Deadline, private_hosts: Collection[tuple[str, int]], resolve: Resolve
    ) -> None:
        self._patience = patience
        self._private_hosts = private_hosts
        self._resolve = resolve
        self._dialler = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        judge = self._no_judgement if (host, port) in self._private_hosts else self._judge
        for address in (addresses := self._addresses(host, port)):
            judge(address)
        failure: Exception = httpcore.ConnectError("no address")
        for address in addresses:
            self._patience.check()
            try:
                stream = self._dialler.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as problem:
                failure = problem
                continue
            try:
                judge(stream.get_extra_info("server_addr")[0])
            except PrivateAddress:
                stream.close()
                raise
            return _DeadlineStream(stream, self._patience)
        raise failure

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            return self._resolve(host, port)
        except (OSError, UnicodeError) as problem:
            raise httpcore.ConnectError("no address") from problem

    @staticmethod
    def _judge(address: str) -> None:
        if not is_public(address):
            raise PrivateAddress

    @staticmethod
    def _no_judgement(_address: str) -> None:
        """A configured host may lie anywhere."""


class _DeadlineStream(httpcore.NetworkStream):
    """A stream whose reads end when patience does, and whose silence is limited."""

    def __init__(self, stream: httpcore.NetworkStream, patience: Deadline) -> None:
        self._stream = stream
        self._patience = patience

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        silence_ends = time.monotonic() + self._patience.stall_seconds
        while True:
            self._patience.check()
            try:
                return self._stream.read(max_bytes, _READ_SLICE_SECONDS)
            except httpcore.ReadTimeout:
                if time.monotonic() > silence_ends:
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._patience.check()
        self._stream.write(buffer, self._patience.stall_seconds)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        self._patience.check()
        return _DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, timeout), self._patience)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

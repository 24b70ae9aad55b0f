"""A listening socket: which connections are let in, and how each is served."""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import Callable, Iterable
from typing import Any

from waitress.adjustments import Adjustments
from waitress.buffers import ReadOnlyFileBasedBuffer
from waitress.server import BaseWSGIServer
from waitress.task import ThreadedTaskDispatcher
from werkzeug.wsgi import _RangeWrapper

from acr3d.server.channel import Channel
from acr3d.server.limits import Limits

_IN_MEMORY = 64 * 1024  # of each body and each answer; the rest is in a temporary file
_HEAD_BYTES = 64 * 1024
_MOST_BYTES = 5 * 1024**3  # the app has its own, smaller limits
_NEVER = 10**9

log = logging.getLogger(__name__)


class Listener(BaseWSGIServer):  # type: ignore[misc]  # waitress has no types
    """Waitress's server on a socket that is already open."""

    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        sock: socket.socket,
        dispatcher: ThreadedTaskDispatcher,
        connections: dict[int, Any],
        limits: Limits,
        has_proxy: bool = False,
    ) -> None:
        self.limits = limits
        self.is_stopping = False
        self._has_proxy = has_proxy
        super().__init__(
            lambda environ, start: _without_wrapper(application(environ, start)),
            map=connections,
            _sock=sock,
            dispatcher=dispatcher,
            adj=_adjustments(sock, limits),
            sockinfo=(sock.family, sock.type, sock.proto, sock.getsockname()),
            bind_socket=False,
        )
        self.server_name = self.effective_host

    def getsockname(self) -> tuple[str, str]:
        if self.family == socket.AF_UNIX:
            return "localhost", ""
        return socket.getnameinfo(self.socket.getsockname(), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)

    def channels(self) -> list[Channel]:
        """The open connections."""
        return list(self.active_channels.values())

    def handle_accept(self) -> None:
        try:
            if (accepted := self.accept()) is None:
                return
            sock, address = accepted
            if self.family == socket.AF_UNIX:
                Channel(self, sock, "", ("localhost", None), self.adj, map=self._map)
                return
            client = _client(address[0])
            if self._is_limited(client) and self._open_from(client) >= self.limits.per_address:
                sock.close()
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            Channel(self, sock, client, address, self.adj, map=self._map)
        except OSError as error:  # it has gone already, or there are too many open files
            log.warning("a connection could not be accepted: %s", error)

    def _is_limited(self, client: str) -> bool:
        """Not a proxy, through which everybody comes: one that the settings name, or one on this machine."""
        return not self._has_proxy and not ipaddress.ip_network(client).is_loopback

    def _open_from(self, client: str) -> int:
        return sum(one.client == client for one in self._map.values() if isinstance(one, Channel))


def _client(address: str) -> str:
    """Whom an address belongs to: an IPv4 address, or the /64 of an IPv6 address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if ip.version == 4 or ip.is_loopback:
        return str(ip)
    return str(ipaddress.ip_network((ip, 64), strict=False))


def _without_wrapper(answer: Iterable[bytes]) -> Iterable[bytes]:
    """Part of a file (HTTP Range) as the file itself, so that waitress sends it from its loop, too.

    Waitress takes only as many bytes from there as the answer's Content-Length says.
    """
    if isinstance(answer, _RangeWrapper) and isinstance(answer.iterable, ReadOnlyFileBasedBuffer):
        file: ReadOnlyFileBasedBuffer = answer.iterable
        file.seek(answer.start_byte)
        return file  # type: ignore[no-any-return]
    return answer


def _adjustments(sock: socket.socket, limits: Limits) -> Adjustments:
    return Adjustments(
        sockets=[sock],
        ident=None,
        clear_untrusted_proxy_headers=False,  # the app believes as many proxies as its settings name
        connection_limit=limits.connections,
        cleanup_interval=_NEVER,  # deadlines are ours
        inbuf_overflow=_IN_MEMORY,
        outbuf_overflow=_IN_MEMORY,
        recv_bytes=_IN_MEMORY,
        max_request_header_size=_HEAD_BYTES,
        max_request_body_size=_MOST_BYTES,
    )

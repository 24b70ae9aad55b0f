"""The event loop: it reads requests and sends answers, and threads only run the app."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

from waitress import wasyncore
from waitress.task import ThreadedTaskDispatcher

from acr3d.server.channel import Phase
from acr3d.server.limits import Limits
from acr3d.server.listener import Listener

_TICK_SECONDS = 1.0
_STOP_IDLE_SECONDS = 2.0  # a client may just be sending a request on a kept connection


class Loop:
    """Serves `application` on open sockets. `turn` must be called again and again, by one thread."""

    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        sockets: Iterable[socket.socket],
        threads: int,
        limits: Limits | None = None,
        has_proxy: bool = False,
    ) -> None:
        limits = limits or Limits()
        self._tick = min(_TICK_SECONDS, limits.head / 4)
        self._next_check = 0.0
        self._stopping_since: float | None = None
        self._map: dict[int, Any] = {}
        self._dispatcher = ThreadedTaskDispatcher()
        self._dispatcher.set_thread_count(threads)
        self.listeners = [
            Listener(application, one, self._dispatcher, self._map, limits, has_proxy) for one in sockets
        ]

    def turn(self) -> None:
        """Wait at most a second for something to happen, and do it."""
        wasyncore.poll2(self._tick, self._map)
        if (now := time.monotonic()) >= self._next_check:
            self._next_check = now + self._tick
            self._close_overdue(now)

    def wake(self) -> None:
        """End the waiting of `turn`; from any thread, and from signal handlers."""
        self.listeners[0].pull_trigger()

    def stop_accepting(self) -> None:
        """Take no more connections, and close each one after its present request."""
        self._stopping_since = time.monotonic()
        for listener in self.listeners:
            listener.accepting = False
            listener.is_stopping = True

    def is_busy(self) -> bool:
        """Whether a connection is still open."""
        return any(listener.active_channels for listener in self.listeners)

    def close(self) -> None:
        """Close everything; threads that are still running the app end with the process."""
        self._dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self._map, ignore_all=True)

    def _close_overdue(self, now: float) -> None:
        waited = self._stopping_since is not None and now - self._stopping_since > _STOP_IDLE_SECONDS
        for listener in self.listeners:
            for channel in listener.channels():
                if channel.is_overdue(now) or (waited and channel.phase() is Phase.IDLE):
                    channel.abort()

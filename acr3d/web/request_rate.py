"""How often one address may search and call the public API.

Kept in this process, like the login throttle's counts: each process allows as many. Pages that a shared cache
can answer are not counted.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from flask import Flask, current_app, request
from werkzeug.exceptions import TooManyRequests

from acr3d.accounts.throttle import network

_AT_ONCE_SECONDS = 30  # of the allowed rate may come at once
_MOST_KEPT = 20_000


class RequestRate:
    """The requests of each address as a bucket that leaks at an even rate (GCRA, ITU-T I.371)."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds_each = 60 / per_minute
        self._clock = clock
        self._empty_at: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def seconds_to_wait(self, address: str | None) -> int:
        """0, and the request counts; or the seconds until `address` may try again."""
        with self._lock:
            now, key = self._clock(), network(address)
            empty_at = max(now, self._empty_at.get(key, now)) + self._seconds_each
            if empty_at - now > _AT_ONCE_SECONDS:
                return math.ceil(empty_at - now - _AT_ONCE_SECONDS)
            self._empty_at[key] = empty_at
            self._empty_at.move_to_end(key)
            if len(self._empty_at) > _MOST_KEPT:
                self._empty_at.popitem(last=False)
            return 0


def install(app: Flask) -> None:
    per_minute = app.extensions["acr3d_settings"].search_rate
    app.extensions["acr3d_request_rate"] = RequestRate(per_minute) if per_minute else None


def count() -> None:
    """Count this request. Answers 429 when its address has sent too many."""
    rate: RequestRate | None = current_app.extensions["acr3d_request_rate"]
    wait = rate.seconds_to_wait(request.remote_addr) if rate else 0
    if wait:
        raise TooManyRequests(retry_after=wait)

"""How many connections there may be, and how slow they may be."""

from __future__ import annotations

import resource
from dataclasses import dataclass, field

_MOST_CONNECTIONS = 1000
_MOST_FILES = 8192
_FILES_PER_CONNECTION = 3  # its socket, a body and an answer
_OTHER_FILES = 200


@dataclass(frozen=True)
class Limits:
    """Times in seconds, rates in bytes per second."""

    head: float = 10  # until a request's head is there
    grace: float = 10  # until `least_rate` counts, for a body and for an answer
    least_rate: float = 20_000
    stall: float = 30  # without a single byte of a body or an answer
    idle: float = 30  # of a kept connection, between two requests
    linger: float = 5  # until the client has closed its side too
    per_address: int = 100  # an IPv6 client has a /64 of them
    connections: int = field(default_factory=lambda: connections_that_fit())


def connections_that_fit() -> int:
    """As many as the process may have files for, after raising that limit as far as is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(10, min(_MOST_CONNECTIONS, (allowed - _OTHER_FILES) // _FILES_PER_CONNECTION))


class Pace:
    """Whether one body or answer moves fast enough; it begins at `now`."""

    def __init__(self, limits: Limits, now: float, moved: int) -> None:
        self._limits = limits
        self._began = self._moved_at = now
        self._first = self._moved = moved

    def is_too_slow(self, now: float, moved: int) -> bool:
        """`moved`: the bytes that have arrived by now."""
        if moved > self._moved:
            self._moved, self._moved_at = moved, now
        allowed = self._limits.grace + (moved - self._first) / self._limits.least_rate
        return now - self._began > allowed or now - self._moved_at > self._limits.stall

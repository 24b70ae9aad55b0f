"""Limits how many requests a second this process sends to one account.

Meshy allows 20 a second per account, over all its clients. The pollers share 15 of them by their number,
which each poller counts at every pass. Other processes ask rarely and count nobody: each takes 1, so the sum
holds for up to five of them, such as five web hosts with `ACR3D_POLLER=worker`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

POLLERS_PER_SECOND = 15  # shared by all pollers
OTHERS_PER_SECOND = 1  # each


class RateLimiter:
    """At most `per_second` requests in any second; a caller that is too early waits. Thread-safe.

    Below 1, requests are that much further apart. `clock` and `sleep` count seconds.
    """

    def __init__(
        self,
        per_second: float = OTHERS_PER_SECOND,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.per_second = per_second
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._slots: deque[float] = deque(maxlen=100)  # when requests were, or will be, sent

    def share(self, pollers: int) -> None:
        """Take one poller's share of the rate, `pollers` being all that are alive."""
        self.per_second = POLLERS_PER_SECOND / max(1, pollers)

    def wait(self) -> None:
        """Block until the next request may be sent."""
        with self._lock:
            now = self._clock()
            slot = max(now, self._next_slot())
            self._slots.append(slot)
        if slot > now:
            self._sleep(slot - now)

    def _next_slot(self) -> float:
        """The first free moment: a second after the request that came `per_second` requests ago."""
        burst = max(1, int(self.per_second))
        if len(self._slots) < burst:
            return self._slots[-1] if self._slots else 0
        apart = max(1, 1 / self.per_second)
        return max(self._slots[-1], self._slots[-burst] + apart)

"""How many requests a second an account is sent.

Meshy allows 20 a second for an account, whoever asks. The pollers share 15 of them by their number, which
each counts at every pass. Processes that are no poller ask rarely and count nobody: each takes 1, so the sum
holds for up to five of them, as with five web hosts and `ACR3D_POLLER=worker`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

POLLERS_A_SECOND = 15
OTHERS_A_SECOND = 1  # each


class Pace:
    """At most `per_second` turns in any second; who comes too early waits.

    Below 1, turns lie that much further apart. Safe for threads; `clock` and `sleep` count seconds.
    """

    def __init__(
        self,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.per_second = per_second
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._turns: deque[float] = deque(maxlen=100)

    def share(self, pollers: int) -> None:
        """Take the share of one of so many pollers."""
        self.per_second = POLLERS_A_SECOND / max(1, pollers)

    def wait(self) -> None:
        """Return when it is our turn."""
        with self._lock:
            now = self._clock()
            turn = max(now, self._soonest())
            self._turns.append(turn)
        if turn > now:
            self._sleep(turn - now)

    def _soonest(self) -> float:
        """When the next turn may be: a second after the one before as many as fit into a second."""
        together = max(1, int(self.per_second))
        if len(self._turns) < together:
            return self._turns[-1] if self._turns else 0
        apart = max(1, 1 / self.per_second)
        return max(self._turns[-1], self._turns[-together] + apart)

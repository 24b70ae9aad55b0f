"""How fast passwords may be tried: slower with every failure, but nobody is ever locked out.

Wrong passwords are counted for an address (whatever accounts it tries) and for an account from one address.
Each has some free tries; then the wait doubles up to a minute. What strangers do to an account from elsewhere
never makes its owner wait: it only takes away the free tries of addresses that guess wrong, so that many
addresses do not get many free guesses. The counts live in this process and are forgotten after an hour.
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FREE_TRIES = 5  # for one account from one address
FREE_TRIES_PER_ADDRESS = 20
UNDER_ATTACK = 20  # failures of one account from everywhere
LONGEST_WAIT = 60.0
FORGOTTEN_AFTER = 3600.0
_MOST_KEPT = 20_000


@dataclass
class _Count:
    failures: int = 0
    last: float = 0.0
    held_until: float = 0.0


class Pace:
    """Counts of one process. A try counts before its password is checked, so many at once do not slip by."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._counts: OrderedDict[tuple[str, str], _Count] = OrderedDict()
        self._lock = threading.Lock()

    def try_now(self, account: str, address: str | None) -> int:
        """0 when a password may be tried now, a failure until `forgive`; else the seconds to wait."""
        account, place = account.strip().casefold(), _network(address)
        with self._lock:
            now = self.clock()
            theirs = self._count(now, account, place)
            anybodys = self._count(now, "", place)
            wait = max(theirs.held_until, anybodys.held_until) - now
            if wait > 0:
                return math.ceil(wait)
            everywhere = self._count(now, account, "")
            free = 0 if everywhere.failures >= UNDER_ATTACK else FREE_TRIES
            _fail(theirs, now, free)
            _fail(anybodys, now, FREE_TRIES_PER_ADDRESS)
            _fail(everywhere, now, None)
            return 0

    def forgive(self, account: str, address: str | None) -> None:
        """The password was right: that try was no failure, nor are those before it from this address."""
        account, place = account.strip().casefold(), _network(address)
        with self._lock:
            self._counts.pop((account, place), None)
            for key in (("", place), (account, "")):
                count = self._counts.get(key)
                if count is not None:
                    count.failures -= 1
                    count.held_until = 0.0

    def _count(self, now: float, account: str, place: str) -> _Count:
        count = self._counts.setdefault((account[:320], place), _Count(last=now))
        if now - count.last > FORGOTTEN_AFTER:
            count.failures = 0
        self._counts.move_to_end((account[:320], place))
        while len(self._counts) > _MOST_KEPT:
            self._counts.popitem(last=False)
        return count


def _fail(count: _Count, now: float, free: int | None) -> None:
    count.failures += 1
    count.last = now
    if free is not None and count.failures > free:
        count.held_until = now + min(2.0 ** min(count.failures - free, 10), LONGEST_WAIT)


def _network(address: str | None) -> str:
    """The address; of IPv6 the /64, all of which one subscriber has."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return address or "?"
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))

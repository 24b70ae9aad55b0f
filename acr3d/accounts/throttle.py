"""Slows down password guessing: every failure means a longer wait, but nobody is ever locked out.

Wrong passwords are counted per address (for any account) and per account and address. Each has some free
tries; then the wait doubles up to a minute. Failures from other addresses never make an account's owner
wait. They only remove the free tries of addresses that guess wrong, so that many addresses do not get many
free guesses. The counts are kept in this process and expire after an hour.

Codes of the second factor are short, and only who has the password can try one: those tries are held for the
account wherever they come from.
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

FREE_TRIES = 5  # for one account from one address
FREE_TRIES_PER_ADDRESS = 20
UNDER_ATTACK = 20  # failures of one account from everywhere
LONGEST_WAIT = 60.0
LONGEST_QUEUE = 12  # waiting tries; the server's other threads are for other pages
FORGOTTEN_AFTER = 3600.0
_MOST_KEPT = 20_000

Found = TypeVar("Found")


@dataclass
class _Count:
    failures: int = 0
    last: float = 0.0
    held_until: float = 0.0


class LoginThrottle:
    """The counts of one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._counts: OrderedDict[tuple[str, str], _Count] = OrderedDict()
        self._lock = threading.Lock()
        self._queue = threading.BoundedSemaphore(LONGEST_QUEUE)
        self._one_try = threading.Lock()

    def try_password(
        self,
        account: str,
        address: str | None,
        check: Callable[[], Found | None],
        *,
        from_everywhere: bool = False,
    ) -> tuple[int, Found | None]:
        """0 and the result of `check` (None for a wrong password), or the seconds to wait first.

        `account` is the stored form of an address (`users.throttle_key`): another spelling has other counts.
        Tries run one at a time, so that many sent at once are counted one after the other. If `check` raises,
        the try counts as neither right nor wrong. `from_everywhere`: other addresses' failures count as well.
        """
        key = account, f"everywhere {account}" if from_everywhere else network(address)
        wait = self._wait(*key)
        if wait:
            return wait, None
        if not self._queue.acquire(blocking=False):
            return 1, None
        try:
            with self._one_try:
                return self._try(key, check)
        finally:
            self._queue.release()

    def _try(self, key: tuple[str, str], check: Callable[[], Found | None]) -> tuple[int, Found | None]:
        wait = self._wait(*key)  # it may have changed while waiting
        if wait:
            return wait, None
        found = check()
        if found is None:
            self._fail(*key)
        else:
            self._forget(*key)
        return 0, found

    def _wait(self, account: str, place: str) -> int:
        with self._lock:
            known = (self._counts.get(key) for key in ((account, place), ("", place)))
            held_until = max((count.held_until for count in known if count), default=0.0)
            return max(0, math.ceil(held_until - self.clock()))

    def _fail(self, account: str, place: str) -> None:
        with self._lock:
            now = self.clock()
            everywhere = self._count(now, account, "")
            free = 0 if everywhere.failures >= UNDER_ATTACK else FREE_TRIES
            _add(everywhere, now, None)
            _add(self._count(now, account, place), now, free)
            _add(self._count(now, "", place), now, FREE_TRIES_PER_ADDRESS)

    def _forget(self, account: str, place: str) -> None:
        """Forget failures after a right password. The address gets no new tries for other accounts."""
        with self._lock:
            self._counts.pop((account, place), None)

    def _count(self, now: float, account: str, place: str) -> _Count:
        key = account, place
        count = self._counts.setdefault(key, _Count(last=now))
        if now - count.last > FORGOTTEN_AFTER:
            count.failures = 0
        self._counts.move_to_end(key)
        while len(self._counts) > _MOST_KEPT:
            self._counts.popitem(last=False)
        return count


def _add(count: _Count, now: float, free: int | None) -> None:
    count.failures += 1
    count.last = now
    if free is not None and count.failures > free:
        count.held_until = now + min(2.0 ** min(count.failures - free, 10), LONGEST_WAIT)


def network(address: str | None) -> str:
    """Whom an address belongs to: the address; for IPv6 the /64, which usually belongs to one subscriber."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return address or "?"
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))

"""A memory budget shared by the threads that decode images."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_DECODING_BYTES = 180 << 20


class DecodingBudget:
    """Lets threads decode images at the same time only while those fit into `total` bytes together."""

    def __init__(self, total: int = _DECODING_BYTES) -> None:
        self._total, self._used = total, 0
        self._changed = threading.Condition()

    @contextmanager
    def take(self, amount: int) -> Iterator[None]:
        """Hold `amount` bytes of the budget. An image larger than the budget waits until it is alone."""
        amount = min(amount, self._total)
        with self._changed:
            self._changed.wait_for(lambda: self._used + amount <= self._total)
            self._used += amount
        try:
            yield
        finally:
            with self._changed:
                self._used -= amount
                self._changed.notify_all()

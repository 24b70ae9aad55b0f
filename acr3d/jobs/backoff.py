"""How long a job waits before its next try: after our own failure, and for a reason that is not its fault."""

from __future__ import annotations

import random
from datetime import timedelta

MOST_TRIES = 5
FIRST_RETRY_SECONDS = 60
LONGEST_WAIT = 600
"""Seconds. A job that waits for something outside checks at least this often."""


def retry_delay(retry_count: int) -> timedelta:
    """The wait after our own failure number `retry_count`: a minute, doubled each time, with jitter."""
    doublings = min(retry_count, MOST_TRIES) - 1
    return timedelta(seconds=FIRST_RETRY_SECONDS * 2**doublings * random.uniform(0.8, 1.2))  # noqa: S311


def backoff_seconds(seconds: float, snooze_count: int) -> float:
    """A wait of `seconds`, doubled for each earlier one since the last change, with jitter."""
    grown = min(seconds * (1 << min(snooze_count, 6)), max(seconds, LONGEST_WAIT))
    return grown * random.uniform(1, 1.2)  # noqa: S311

"""A stand-in for the poller of a process, which counts how often it is woken."""

from __future__ import annotations


class Woken:
    def __init__(self) -> None:
        self.times = 0

    def wake(self) -> None:
        self.times += 1

    def stop(self) -> None:
        pass

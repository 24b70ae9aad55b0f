"""gunicorn's worker: gunicorn opens sockets, starts and stops processes and calls hooks; the loop serves."""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING, Any

from gunicorn.workers.base import Worker

if TYPE_CHECKING:
    from acr3d.server.loop import Loop


class LoopWorker(Worker):  # type: ignore[misc]  # gunicorn has no types
    """Serves until it is told to stop; then open requests have `graceful_timeout` seconds."""

    loop: Loop | None = None

    def has_proxy(self) -> bool:
        """Whether the settings name a proxy, through which all connections come."""
        return False

    def begin_stop(self) -> None:
        """Called once, as soon as the worker is told to stop."""

    def handle_exit(self, sig: int, frame: Any) -> None:
        super().handle_exit(sig, frame)
        if self.loop is not None:
            self.loop.wake()

    def run(self) -> None:
        # Imported here to keep it out of the memory of gunicorn's master process.
        from acr3d.server.loop import Loop

        _log_to(self.log.error_log.handlers)
        sockets = [one.sock for one in self.sockets]
        self.loop = loop = Loop(self.wsgi, sockets, self.cfg.threads, has_proxy=self.has_proxy())
        while self.alive and self.ppid == os.getppid():
            self.notify()
            loop.turn()
        self.begin_stop()
        loop.stop_accepting()
        end = time.monotonic() + self.cfg.graceful_timeout
        while loop.is_busy() and time.monotonic() < end:
            self.notify()
            loop.turn()
        loop.close()


def _log_to(handlers: list[logging.Handler]) -> None:
    """Waitress's faults go to gunicorn's log; what clients do wrong is no news."""
    waitress = logging.getLogger("waitress")
    waitress.handlers, waitress.propagate = handlers, False
    waitress.setLevel(logging.WARNING)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)

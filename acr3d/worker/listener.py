"""Hearing of new work from other processes: LISTEN on PostgreSQL; on SQLite a look every second.

Of the pollers on one PostgreSQL, one leads: it does the periodic duties. It holds an advisory lock on the
connection that listens, so the server itself lets another one lead when that ends, however it ends.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Flask

from acr3d.db.extensions import db
from acr3d.db.outage import log_failure
from acr3d.engines.registry import engines
from acr3d.notify import CHANNEL, TO_LEADER

if TYPE_CHECKING:
    import psycopg

_CHECK_SECONDS = 1.0
_RETRY_SECONDS = 5.0
_LEAD_SECONDS = 5.0

log = logging.getLogger("acr3d.poller")


class Listener:
    """A thread that calls `wake` when another process has notified us, and on SQLite `check` every second.

    `leads`: whether this poller does the periodic duties; always on SQLite.
    """

    def __init__(self, app: Flask, wake: Callable[[], None], check: Callable[[], None]) -> None:
        self.leads = app.extensions["acr3d_settings"].database_url.startswith("sqlite")
        self._app = app
        self._wake = wake
        self._check = check
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="acr3d-listener", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(2 * _CHECK_SECONDS)

    def _run(self) -> None:
        with self._app.app_context():
            wait = self._listen if db.engine.dialect.name == "postgresql" else self._check_later
            while not self._stop.is_set():
                try:
                    wait()
                except Exception:
                    log_failure(log, "poller.listener_failed")
                    self._stop.wait(_RETRY_SECONDS)

    def _check_later(self) -> None:
        if not self._stop.wait(_CHECK_SECONDS):
            self._check()

    def _listen(self) -> None:
        """Wait for notifications on a connection of our own until we are stopped or it breaks."""
        pooled = db.engine.raw_connection()
        connection: psycopg.Connection[Any] = pooled.driver_connection  # type: ignore[assignment]
        pooled.detach()
        try:
            connection.autocommit = True
            connection.execute(f"LISTEN {CHANNEL}")
            self._wake()  # for what was sent before we listened
            asked_at = -_LEAD_SECONDS
            while not self._stop.is_set():
                if not self.leads and time.monotonic() > asked_at + _LEAD_SECONDS:
                    asked_at = time.monotonic()
                    self._try_to_lead(connection)
                for message in connection.notifies(timeout=_CHECK_SECONDS / 2, stop_after=1):
                    if message.payload != TO_LEADER or self.leads:
                        self._wake()
        finally:
            self.leads = False
            connection.close()  # not the pool's close, which would roll back first

    def _try_to_lead(self, connection: psycopg.Connection[Any]) -> None:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", [_leaders_lock()]).fetchone()
        self.leads = bool(row and row[0])
        if self.leads:
            log.info("poller.leads")
            self._wake()


def _leaders_lock() -> int:
    """One lock for all pollers with the same paid accounts: only those can do each other's duties."""
    accounts = sorted(one.account for one in engines().paid())
    digest = hashlib.sha256(" ".join(["acr3d leader", *accounts]).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)

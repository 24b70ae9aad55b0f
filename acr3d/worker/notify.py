"""Waking pollers of other processes: NOTIFY on PostgreSQL; on SQLite they look every two seconds.

A lost message is harmless: every poller passes each `ACR3D_POLL_SECONDS` anyway.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from acr3d.db.extensions import db

if TYPE_CHECKING:
    import psycopg

_CHANNEL = "acr3d_jobs"
_LOOK_SECONDS = 2
_AGAIN_SECONDS = 5

log = logging.getLogger("acr3d.poller")


def wake() -> None:
    """Tell all pollers that there is work, in this process and in others. Commit before calling it."""
    poller = current_app.extensions.get("acr3d_poller")
    if poller is not None:
        poller.wake()
    tell_others()


def tell_others() -> None:
    """Let the pollers of all processes pass soon. What was written must be committed."""
    if db.engine.dialect.name != "postgresql":
        return
    try:
        with db.engine.begin() as connection:
            connection.execute(select(func.pg_notify(_CHANNEL, "")))
    except SQLAlchemyError as error:
        log.warning("poller.notify_broke %s", type(error).__name__)


class Listener:
    """A thread that calls `wake` when another process has told us to, and on SQLite `look` every 2 s."""

    def __init__(self, app: Flask, wake: Callable[[], None], look: Callable[[], None]) -> None:
        self._app = app
        self._wake = wake
        self._look = look
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="acr3d-listener", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(_LOOK_SECONDS)

    def _run(self) -> None:
        with self._app.app_context():
            wait = self._listen if db.engine.dialect.name == "postgresql" else self._look_around
            while not self._stop.is_set():
                try:
                    wait()
                except Exception as error:
                    log.warning("poller.listening_broke %s", type(error).__name__)
                    self._stop.wait(_AGAIN_SECONDS)

    def _look_around(self) -> None:
        if not self._stop.wait(_LOOK_SECONDS):
            self._look()

    def _listen(self) -> None:
        """Wait for messages on a connection of our own until we are stopped, or the connection breaks."""
        pooled = db.engine.raw_connection()
        connection: psycopg.Connection[Any] = pooled.driver_connection  # type: ignore[assignment]
        pooled.detach()
        try:
            connection.autocommit = True
            connection.execute(f"LISTEN {_CHANNEL}")
            self._wake()  # what was told while nobody listened
            while not self._stop.is_set():
                for _message in connection.notifies(timeout=_LOOK_SECONDS / 4, stop_after=1):
                    self._wake()
        finally:
            pooled.close()

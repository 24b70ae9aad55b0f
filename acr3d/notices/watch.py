"""Collects and sends notices every half minute, in a thread of the web process: a dead poller cannot."""

from __future__ import annotations

import logging
import threading

from flask import Flask

from acr3d.db.outage import log_failure
from acr3d.notices import collect, outlets

SECONDS = 30.0
log = logging.getLogger("acr3d.notices")


def start(app: Flask) -> threading.Event:
    """Begin; the event that is returned ends it. Any number of processes may do it."""
    stopping = threading.Event()
    thread = threading.Thread(target=_run, args=(app, stopping), name="acr3d-notices", daemon=True)
    thread.start()
    return stopping


def once(app: Flask) -> None:
    """One round; what fails is logged, and the next round tries again."""
    for step in (collect.collect, outlets.deliver):
        try:
            with app.app_context():
                step()
        except Exception:
            log_failure(log, "notices.round_failed step=%s", step.__name__)


def _run(app: Flask, stopping: threading.Event) -> None:
    while not stopping.wait(SECONDS):
        once(app)

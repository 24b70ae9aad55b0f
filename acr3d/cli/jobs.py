"""`flask jobs …`: the job poller."""

from __future__ import annotations

import logging
import os
import signal
import threading

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from acr3d.engines.errors import EngineError
from acr3d.orders.unmatched_actions import sweep
from acr3d.worker.loop import JobPoller, look

jobs = AppGroup("jobs", help="Run the job poller.")

STOP_SECONDS = 18
log = logging.getLogger("acr3d.poller")


@jobs.command("run")
def run_jobs() -> None:
    """One pass of the poller, and what it started, to the end."""
    JobPoller(_app()).run_once()
    try:
        look()
        sweep()
    except EngineError as error:
        click.echo(str(error), err=True)


@jobs.command("work")
def work_on_jobs() -> None:
    """The poller as a process of its own, until it is told to end (with ACR3D_POLLER=worker)."""
    logging.basicConfig(level=logging.INFO)
    poller = JobPoller(_app())
    told_to_end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_signal: told_to_end.set())
    poller.start()
    click.echo("The poller is running.")
    told_to_end.wait()
    last_word = threading.Timer(STOP_SECONDS, _end_at_once)
    last_word.daemon = True
    last_word.start()
    poller.stop()


def _end_at_once() -> None:
    """Whatever still hangs must not keep us from ending: what it holds is taken over by the next start."""
    log.warning("poller.stop_took_too_long seconds=%d", STOP_SECONDS)
    os._exit(0)


def _app() -> Flask:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return app

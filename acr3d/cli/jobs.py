"""`flask jobs …`: the job poller."""

from __future__ import annotations

import logging
import logging.config
import os
import signal
import threading

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from acr3d import logs, settings
from acr3d.engines.errors import EngineError
from acr3d.orders.unmatched_actions import scan_accounts
from acr3d.sandbox.protection import protection
from acr3d.worker.loop import JobPoller, probe_accounts

jobs = AppGroup("jobs", help="Run the job poller.")

STOP_SECONDS = 18
log = logging.getLogger("acr3d.poller")


@jobs.command("run")
def run_jobs() -> None:
    """Run one pass of the poller and wait for the work it starts."""
    JobPoller(_app()).run_once()
    try:
        probe_accounts()
        scan_accounts()
    except EngineError as error:
        click.echo(str(error), err=True)


@jobs.command("work")
def work_on_jobs() -> None:
    """Run the poller as its own process until it is stopped.

    Use it with ACR3D_POLLER=worker, so that the web process runs no poller.
    """
    if settings.current().workers == "procrastinate":
        raise click.ClickException("ACR3D_WORKERS=procrastinate is set: start “flask worker” instead.")
    work_until_stopped(JobPoller(_app()))


def work_until_stopped(poller: JobPoller) -> None:
    """Run this poller until the process is told to end."""
    if settings.current().log == "json":
        logging.config.dictConfig(logs.config("INFO"))
    else:
        logging.basicConfig(level=logging.INFO)
    log.info(protection())
    stop_requested = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_signal: stop_requested.set())
    poller.start()
    click.echo("The job poller is running.")
    stop_requested.wait()
    deadline = threading.Timer(STOP_SECONDS, _end_at_once)
    deadline.daemon = True
    deadline.start()
    poller.stop()


def _end_at_once() -> None:
    """End even if something hangs. The next process takes over what it was working on."""
    log.warning("poller.stop_took_too_long seconds=%d", STOP_SECONDS)
    os._exit(0)


def _app() -> Flask:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return app

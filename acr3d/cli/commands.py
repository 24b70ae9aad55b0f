"""The `flask` commands."""

from __future__ import annotations

import logging
import os
import signal
import threading

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from acr3d import settings
from acr3d.cli.backup import backup_command, restore_command, sweep_command
from acr3d.cli.photos import photos
from acr3d.cli.users import users
from acr3d.cli.webhook import webhook
from acr3d.engine_server.app import serve
from acr3d.engines.errors import EngineError
from acr3d.engines.providers import engines
from acr3d.orders.unmatched_actions import sweep
from acr3d.parts import demo
from acr3d.worker.loop import JobPoller, look

jobs = AppGroup("jobs", help="Models in the making.")
engine = AppGroup("engine", help="The built-in engine.")

STOP_SECONDS = 18
log = logging.getLogger("acr3d.poller")

_KEEPING = (backup_command, restore_command, sweep_command)


def register(app: Flask) -> None:
    """Add acr3d's commands to `flask`."""
    for command in (users, photos, jobs, engine, webhook, demo_command, *_KEEPING):
        app.cli.add_command(command)


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


@engine.command("serve")
@click.option("--port", type=click.IntRange(1, 65535), required=True, help="Listens on 127.0.0.1 only.")
def serve_engine(port: int) -> None:
    """Serve the built-in engine to another acr3d of this host; any bearer key is accepted."""
    serve(engines().builtin_app, port)


@click.command("demo")
def demo_command() -> None:
    """Add the demo parts with their photos; those that are there, or were deleted, are left alone."""
    added = demo.add_parts()
    parts = f"http://127.0.0.1:{settings.current().port}/admin/parts"
    click.echo(f"{added} demo parts added; see them at {parts}" if added else "The demo parts are there.")


def _app() -> Flask:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return app

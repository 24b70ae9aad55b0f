"""`flask worker`: one of the processes that do the heavy work of all hosts."""

from __future__ import annotations

import importlib.util
import logging

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from acr3d import settings
from acr3d.cli.jobs import work_until_stopped
from acr3d.worker.heavy import QUEUES
from acr3d.worker.loop import JobPoller


def _queues(_context: click.Context, _option: click.Parameter, value: str) -> list[str]:
    chosen = [name.strip() for name in value.split(",")]
    for name in chosen:
        if name not in QUEUES:
            raise click.BadParameter(f"there is no queue {name!r}; there are {', '.join(QUEUES)}.")
    return chosen


@click.command("worker")
@click.option(
    "--queues", default=",".join(QUEUES), show_default=True, callback=_queues, help="What it works on."
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="How many tasks at once. ACR3D_CHILDREN says how many of them may compute.",
)
@with_appcontext
def worker_command(queues: list[str], concurrency: int) -> None:
    """Work on tasks, the most urgent first, until it is stopped.

    Needs ACR3D_WORKERS=procrastinate, which leaves downloads, models, photo checks, captures, files and
    imports to these processes.
    """
    if settings.current().workers != "procrastinate":
        raise click.ClickException("Set ACR3D_WORKERS=procrastinate first, or start “flask jobs work”.")
    if importlib.util.find_spec("procrastinate") is None:
        raise click.ClickException("Procrastinate is not installed. Run “make workers” first.")
    from acr3d.worker.tasks import Tasks

    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    work_until_stopped(JobPoller(app, Tasks(app, queues, concurrency)))

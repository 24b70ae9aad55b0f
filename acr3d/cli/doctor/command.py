"""`flask doctor`: says what is wrong with a set-up, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import click
from flask.cli import with_appcontext

from acr3d import settings
from acr3d.cli.doctor.database import database, poller
from acr3d.cli.doctor.files import stored_files
from acr3d.cli.doctor.finding import Finding
from acr3d.cli.doctor.machine import clock, disk, memory, programs
from acr3d.cli.doctor.outside import address, cutout, paid_engines, proxy, spin_capture, webhook
from acr3d.settings import Settings


@click.command("doctor")
@with_appcontext
def doctor_command() -> None:
    """Say what is wrong with this set-up, and what to do.

    Looks at disk, memory, clock, programs, database, storage, poller, engines, cut-out, spin capture,
    address, proxy and webhook. Changes nothing and costs no credits. Exits with 1 if something does not work.
    """
    config = settings.current()
    found = [finding for check in CHECKS for finding in check(config)]
    for one in found:
        click.echo(f"{one.mark:>2}  {one.text}")
    if any(one.mark == "✗" for one in found):
        raise SystemExit(1)


CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    *(disk, memory, clock, programs, database, stored_files, poller),
    *(paid_engines, cutout, spin_capture, address, proxy, webhook),
)

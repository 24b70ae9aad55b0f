"""`flask doctor`: says what is wrong with a set-up, and what to do about it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import httpx
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from acr3d import settings
from acr3d.db import schema_revision
from acr3d.db.extensions import db
from acr3d.db.session import database_now
from acr3d.db.types import utc_now
from acr3d.engines.errors import EngineError
from acr3d.engines.registry import engines
from acr3d.outlines.method import why_unavailable
from acr3d.settings import Settings
from acr3d.start import ephemeral_folder
from acr3d.storage.temporary import temporary_file
from acr3d.worker.condition import poller_problem

_MB = 1_000_000
_LEAST_MEMORY_MB = 900
_LEAST_DISK_MB = 1000
_MOST_CLOCK_SECONDS = 5
_MEMORY = Path("/proc/meminfo")


@dataclass(frozen=True)
class Finding:
    """What one check found: `mark` is `ok`, `!` (works, but see to it) or `✗` (does not work)."""

    mark: str
    text: str


def ok(text: str) -> Finding:
    """It works."""
    return Finding("ok", text)


def beware(text: str) -> Finding:
    """It works, but something should be done."""
    return Finding("!", text)


def broken(text: str) -> Finding:
    """It does not work."""
    return Finding("✗", text)


@click.command("doctor")
@with_appcontext
def doctor_command() -> None:
    """Say what is wrong with this set-up, and what to do.

    Looks at disk, memory, database, clock, storage, poller, engines, cut-out, address and webhook. Changes
    nothing and costs no credits. Exits with 1 if something does not work.
    """
    config = settings.current()
    found = [finding for check in CHECKS for finding in check(config)]
    for one in found:
        click.echo(f"{one.mark:>2}  {one.text}")
    if any(one.mark == "✗" for one in found):
        raise SystemExit(1)


def disk(config: Settings) -> Iterator[Finding]:
    """Room in the folders, and whether they last."""
    for folder in dict.fromkeys((config.instance, config.storage_folder)):
        free = shutil.disk_usage(folder).free // _MB
        if free < config.room_mb * 2:
            yield broken(f"Disk: {free} MB are free in {folder}, so no job can start. Free some space.")
        elif free < _LEAST_DISK_MB:
            yield beware(f"Disk: only {free} MB are free in {folder}. Free some space soon.")
        else:
            yield ok(f"Disk: {free:,} MB are free in {folder}.")
    yield from map(beware, ephemeral_folder.warnings(config, ephemeral_folder.mount_table()))


def memory(_config: Settings) -> Iterator[Finding]:
    """What the machine has."""
    try:
        lines = dict(line.split(":", 1) for line in _MEMORY.read_text().splitlines())
        total = int(lines["MemTotal"].split()[0]) // 1000
    except (OSError, KeyError, ValueError):
        return
    if total < _LEAST_MEMORY_MB:
        yield beware(f"Memory: {total} MB. Making models takes up to 700 MB; give the machine 1 GB.")
    else:
        yield ok(f"Memory: {total:,} MB.")


def database(_config: Settings) -> Iterator[Finding]:
    """That it answers, has this version's tables, and the same time as this machine."""
    try:
        with db.engine.connect() as connection:
            revision = schema_revision.revision_of(connection)
        apart = abs((database_now(db.session()) - utc_now()).total_seconds())
    except SQLAlchemyError as error:
        yield broken(f"Database: it does not answer ({type(error).__name__}). Check DATABASE_URL.")
        return
    if not schema_revision.is_newest(revision):
        yield broken("Database: its tables are of another version. Run “flask db upgrade”.")
    else:
        yield ok(f"Database: {db.engine.dialect.name} answers, and its tables are up to date.")
    if apart > _MOST_CLOCK_SECONDS:
        yield beware(
            f"Clock: {apart:.0f} s apart from the database's. Let both machines set their clocks (NTP)."
        )


def stored_files(config: Settings) -> Iterator[Finding]:
    """That files can be written where the photos and models are."""
    try:
        with temporary_file() as path:
            path.write_bytes(b"acr3d")
            is_same = path.read_bytes() == b"acr3d"
    except OSError as error:
        yield broken(
            f"Storage: no file can be written to {config.storage_folder}: {os.strerror(error.errno or 0)}."
        )
        return
    yield (
        ok("Storage: files can be written and read.")
        if is_same
        else broken("Storage: a file came back changed.")
    )


def poller(_config: Settings) -> Iterator[Finding]:
    """That jobs are being worked on."""
    try:
        problem = poller_problem()
    except SQLAlchemyError:
        return  # the database check reports it
    yield beware(f"Jobs: {problem}") if problem else ok("Jobs: the poller is running.")


def paid_engines(config: Settings) -> Iterator[Finding]:
    """That each engine knows us, and its balance."""
    if not engines().paid():
        yield ok("Engine: the built-in one. Set MESHY_API_KEY to order models from Meshy.")
    for provider in engines().paid():
        try:
            credits = provider.balance()
        except EngineError as error:
            yield broken(f"Engine: {provider.wording.name} refuses or does not answer: {error}")
            continue
        low = credits < config.low_balance
        text = f"Engine: {provider.wording.name} knows the key; the balance is {credits} credits."
        yield beware(f"{text} Top it up.") if low else ok(text)


def cutout(config: Settings) -> Iterator[Finding]:
    """Whether parts are found on any background."""
    why = why_unavailable(config)
    yield beware(f"Cut-out: {why}") if why else ok("Cut-out: the network is ready.")


def address(config: Settings) -> Iterator[Finding]:
    """That customers reach the server under its public address."""
    if not config.public_url:
        yield beware("Address: ACR3D_PUBLIC_URL is not set, so links that others read are guessed.")
        return
    if not config.is_https:
        yield beware("Address: ACR3D_PUBLIC_URL is no https:// address, so AR and passwords are not safe.")
    try:
        status = httpx.get(f"{config.public_url}/livez", timeout=5, follow_redirects=False).status_code
    except httpx.HTTPError as error:
        yield beware(f"Address: {config.public_url} does not answer from here ({type(error).__name__}).")
        return
    if status == httpx.codes.OK:
        yield ok(f"Address: {config.public_url} answers.")
    else:
        yield broken(
            f"Address: {config.public_url}/livez answers {status}. Check the proxy and its host names."
        )


def webhook(config: Settings) -> Iterator[Finding]:
    """Whether Meshy can report changes."""
    if not config.meshy_api_key:
        return
    if not config.is_https or not config.webhook_secret:
        yield beware(
            "Webhook: not set up, so changes at Meshy are seen a little later. See “flask webhook url”."
        )
    else:
        yield ok("Webhook: its secret is set.")


CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    *(disk, memory, database, stored_files, poller, paid_engines, cutout, address, webhook),
)

"""`flask storage move`: all stored files to another storage. `flask sweep`: files that nothing refers to."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from acr3d import settings
from acr3d.storage import cleanup
from acr3d.storage.blobs import StorageError
from acr3d.storage.connect import connect
from acr3d.storage.file_size import file_size
from acr3d.storage.index import Kind
from acr3d.storage.move import Moved, copy_all

_PROGRESS_EVERY = 500


@click.group("storage")
def storage_commands() -> None:
    """Where photos and models are stored."""


@storage_commands.command("move")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@with_appcontext
def move_command(source: str, target: str) -> None:
    """Copy all stored files FROM one storage TO another, and compare each copy.

    Both are file:///absolute/folder or s3://bucket/prefix. The app may be running. Files that are there
    already in their full size are left out, so an interrupted move can be continued. Nothing is deleted.
    """
    config = settings.current()
    try:
        start = settings.storage_place(source, config.instance, "FROM")
        end = settings.storage_place(target, config.instance, "TO")
        if start == end:
            raise click.UsageError("FROM and TO are the same storage.")
        room = config.storage_copies_mb
        moved = copy_all(connect(*start, room), connect(*end, room), _say_progress)
    except (settings.SettingsError, StorageError) as problem:
        raise click.ClickException(f"{problem} What was copied stays; run the command again.") from problem
    click.echo(f"Copied {moved.copied} file(s), {file_size(moved.size)}; {moved.present} were there already.")
    if moved.foreign:
        click.echo(f"Left out: {moved.foreign} file(s) that acr3d did not store.")
    if moved.copied:
        click.echo(f"Now set ACR3D_STORAGE_URL={target} and restart, then run this command once more.")


def _say_progress(moved: Moved) -> None:
    if (moved.copied + moved.present) % _PROGRESS_EVERY == 0:
        click.echo(f"{moved.copied} copied, {moved.present} were there", err=True)


@click.command("sweep")
@click.option("--delete", is_flag=True, help="Delete the files that nothing refers to.")
@with_appcontext
def sweep_command(delete: bool) -> None:
    """List storage use by part, and files that nothing refers to.

    Files younger than an hour are left out, since they may belong to an upload in progress. A part that
    was deleted more than 30 days ago keeps its raw models only.
    """
    try:
        found = cleanup.inspect_storage()
        stray_files = cleanup.delete_stray_files(found) if delete else found.stray_files
    except (cleanup.CleanupRefused, StorageError) as problem:
        raise click.ClickException(str(problem)) from problem
    for space in found.parts:
        name = f"{space.sku} (deleted)" if space.is_deleted else space.sku
        click.echo(f"{file_size(space.sizes.total()):>12}  {name}: {_by_kind(space)}")
    total = file_size(sum(space.sizes.total() for space in found.parts))
    click.echo(f"{total:>12}  in total, for {len(found.parts)} part(s) with files.")
    for file in stray_files:
        click.echo(f"{file_size(file.size):>12}  {file.key}")
    size = file_size(sum(file.size for file in stray_files))
    if delete:
        click.echo(f"Deleted {len(stray_files)} file(s) that nothing referred to, {size}.")
    elif stray_files:
        click.echo(f"Nothing refers to these {len(stray_files)} file(s), {size}. Delete them with --delete.")
    else:
        click.echo("No unused files older than an hour.")


def _by_kind(space: cleanup.PartSpace) -> str:
    named = {Kind.PHOTO: "photos", Kind.RAW: "raw models", Kind.VERSION: "versions"}
    return ", ".join(f"{name} {file_size(space.sizes[kind])}" for kind, name in named.items())

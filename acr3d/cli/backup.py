"""`flask backup` and `flask restore`."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import with_appcontext

from acr3d.backup.create import back_up
from acr3d.backup.errors import BackupError
from acr3d.backup.manifest import Manifest
from acr3d.backup.restore import restore
from acr3d.storage.file_size import file_size

_path = click.Path(path_type=Path)


@click.command("backup")
@click.argument("place", metavar="FILE_OR_FOLDER", type=_path)
@with_appcontext
def backup_command(place: Path) -> None:
    """Back up the database and all stored files into one .tar, also while acr3d runs.

    In a folder the new file is named by its time. Ends with 1 when there is no backup, or when it lacks files
    that the database refers to.
    """
    try:
        made = back_up(place)
    except BackupError as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(f"Backed up into {made.path}: {_contents(made.manifest)}.")
    if _tell_lost(made.manifest):
        raise SystemExit(1)


@click.command("restore")
@click.argument("file", metavar="FILE", type=_path)
@with_appcontext
def restore_command(file: Path) -> None:
    """Bring a backup back into an empty database and storage folder; all of it, or nothing."""
    try:
        restored = restore(file)
    except BackupError as problem:
        raise click.ClickException(str(problem)) from problem
    manifest = restored.manifest
    click.echo(f"Restored the backup of {manifest.made_at:%Y-%m-%d %H:%M} UTC: {_contents(manifest)}.")
    _tell_lost(manifest)
    if restored.jobs_ended:
        click.echo(
            f"{restored.jobs_ended} job(s) may have been sent since and are not sent again by themselves; "
            "they stand as failed among the jobs, each with its reason."
        )
    if restored.needs_upgrade:
        click.echo("The backup is of an earlier version: run “flask --app wsgi db upgrade” now.")
    click.echo("Everybody must log in again, unless SECRET_KEY is the same as before. API tokens work.")


def _contents(manifest: Manifest) -> str:
    parts = manifest.rows.get("parts", 0)
    size = file_size(sum(entry.size for entry in manifest.files.values()))
    return f"{parts} part(s), {len(manifest.files) - 1} stored file(s), {size}"


def _tell_lost(manifest: Manifest) -> bool:
    """Name the files that the backup lacks; whether there are any."""
    for key in manifest.missing:
        click.echo(f"Missing: {key}. The database refers to it, but it is not in storage.", err=True)
    for key in manifest.damaged:
        click.echo(f"Damaged: {key}. Its bytes are not those that were stored.", err=True)
    return bool(manifest.missing or manifest.damaged)

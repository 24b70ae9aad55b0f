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
    """Back up the database and all stored files to one .tar file.

    acr3d can keep running. In a folder, the file is named after the current time. Exits with 1 if no backup
    was made, or if files are missing that the database refers to.
    """
    try:
        made = back_up(place)
    except BackupError as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(f"Backed up to {made.path}: {_contents(made.manifest)}.")
    if _report_lost_files(made.manifest):
        raise SystemExit(1)


@click.command("restore")
@click.argument("file", metavar="FILE", type=_path)
@with_appcontext
def restore_command(file: Path) -> None:
    """Restore a backup into an empty database and storage folder.

    Restores everything or nothing.
    """
    try:
        restored = restore(file)
    except BackupError as problem:
        raise click.ClickException(str(problem)) from problem
    manifest = restored.manifest
    click.echo(f"Restored the backup of {manifest.made_at:%Y-%m-%d %H:%M} UTC: {_contents(manifest)}.")
    _report_lost_files(manifest)
    if restored.jobs_ended:
        click.echo(
            f"{restored.jobs_ended} job(s) may have been ordered after this backup, so they are not ordered "
            "again automatically. They are listed as failed, each with the reason."
        )
    if restored.needs_upgrade:
        click.echo("The backup comes from an earlier version. Run “flask --app wsgi db upgrade” now.")
    click.echo("Everyone must log in again, unless SECRET_KEY is the same as before. API tokens still work.")


def _contents(manifest: Manifest) -> str:
    parts = manifest.rows.get("parts", 0)
    size = file_size(sum(entry.size for entry in manifest.files.values()))
    return f"{parts} part(s), {len(manifest.files) - 1} stored file(s), {size}"


def _report_lost_files(manifest: Manifest) -> bool:
    """Print the files that the backup lacks, and return whether there are any."""
    for key in manifest.missing:
        click.echo(f"Missing: {key}. The database refers to it, but storage does not have it.", err=True)
    for key in manifest.damaged:
        click.echo(f"Damaged: {key}. Its content is not what was stored.", err=True)
    return bool(manifest.missing or manifest.damaged)

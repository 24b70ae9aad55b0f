"""`flask backup`, `flask drill` and `flask restore`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click
from flask.cli import with_appcontext

from acr3d.backup.create import Backup, back_up
from acr3d.backup.drill import drill, look
from acr3d.backup.errors import BackupError
from acr3d.backup.kept import bucket_at, forget_all_but, kept_in
from acr3d.backup.manifest import Manifest
from acr3d.backup.restore import restore
from acr3d.storage.blobs import StorageError
from acr3d.storage.file_size import file_size
from acr3d.storage.temporary import temporary_folder

_path = click.Path(path_type=Path)


@click.command("backup")
@click.argument("place", metavar="PLACE")
@click.option(
    "--keep", type=click.IntRange(1), help="Delete the oldest backups there until so many are left."
)
@with_appcontext
def backup_command(place: str, keep: int | None) -> None:
    """Back up the database and all stored files to one .tar file.

    PLACE is a new file, a folder or s3://bucket/prefix; in the latter two, the file is named after the
    current time. acr3d can keep running. Exits with 1 if no backup was made, or if files are missing that
    the database refers to; then no older backup is deleted.
    """
    try:
        made, where = _made(place)
    except (BackupError, StorageError) as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(f"Backed up to {where}: {_contents(made.manifest)}.")
    if _report_lost_files(made.manifest):
        raise SystemExit(1)
    if keep is None:
        return
    try:
        forgotten = forget_all_but(kept_in(place), keep)
    except (BackupError, OSError) as problem:
        raise click.ClickException(f"Old backups could not be deleted: {problem}") from problem
    if forgotten:
        click.echo(f"Deleted {len(forgotten)} older backup(s); {keep} are left.")


def _made(place: str) -> tuple[Backup, str]:
    """The backup, and where it is kept."""
    if not place.startswith("s3://"):
        made = back_up(Path(place))
        return made, str(made.path)
    bucket = bucket_at(place)
    with temporary_folder() as folder:
        made = back_up(folder)
        return made, bucket.put(made.path)


@click.command("drill")
@click.argument("place", metavar="PLACE", required=False)
@click.option("--max-hours", type=click.IntRange(1), default=48, show_default=True, help="How old it may be.")
@click.option("--look", "only_look", is_flag=True, hidden=True)
@with_appcontext
def drill_command(place: str | None, max_hours: int, only_look: bool) -> None:
    """Prove that the newest backup in PLACE (a folder or s3://bucket/prefix) can be restored.

    Restores it into an empty place of its own, opens pages of it, and removes it again; this place is not
    touched. Exits with 1 if that fails, or if the backup is too old.
    """
    if only_look:  # the process that the drill starts in the restored place
        click.echo(json.dumps(asdict(look())))
        return
    if not place:
        raise click.UsageError("Missing argument 'PLACE'.")
    try:
        done = drill(place)
    except (BackupError, OSError) as problem:
        raise click.ClickException(str(problem)) from problem
    found, hours = done.looked, done.age.total_seconds() / 3600
    click.echo(
        f"{done.name} was restored in {done.seconds:.0f} s: {found.parts} part(s), {found.files} stored "
        f"file(s); {found.pages - len(found.failed)} of {found.pages} pages and models open."
    )
    wrong = [f"Missing: {key}." for key in found.missing]
    wrong += [f"Does not open: {one}" for one in found.failed]
    if hours > max_hours:
        wrong.append(f"It is {hours:.0f} hours old. Look why no newer backup was made.")
    for sentence in wrong:
        click.echo(sentence, err=True)
    if wrong:
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
    except (BackupError, StorageError) as problem:
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

"""`flask sweep`: what storage holds, and which files nothing refers to any more."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from acr3d.storage import cleanup
from acr3d.storage.file_size import file_size
from acr3d.storage.index import Kind


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
    except cleanup.CleanupRefused as problem:
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

"""`flask sweep`: what is in storage, and what nothing refers to any more."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from acr3d.storage import cleanup
from acr3d.storage.file_size import file_size
from acr3d.storage.index import Kind


@click.command("sweep")
@click.option("--delete", is_flag=True, help="Remove the files that no row refers to.")
@with_appcontext
def sweep_command(delete: bool) -> None:
    """List the space that each part takes, and files older than an hour that nothing refers to."""
    try:
        found = cleanup.survey()
        orphans = cleanup.delete(found) if delete else found.orphans
    except cleanup.SweepRefused as problem:
        raise click.ClickException(str(problem)) from problem
    for space in found.parts:
        name = f"{space.sku} (deleted)" if space.is_deleted else space.sku
        click.echo(f"{file_size(space.sizes.total()):>12}  {name}: {_by_kind(space)}")
    total = file_size(sum(space.sizes.total() for space in found.parts))
    click.echo(f"{total:>12}  in all, for {len(found.parts)} part(s) with files.")
    for orphan in orphans:
        click.echo(f"{file_size(orphan.size):>12}  {orphan.key}")
    size = file_size(sum(orphan.size for orphan in orphans))
    if delete:
        click.echo(f"{len(orphans)} file(s) that nothing refers to removed, {size}.")
    elif orphans:
        click.echo(f"Nothing refers to these {len(orphans)} file(s), {size}; --delete removes them.")
    else:
        click.echo("Something refers to every file that is older than an hour.")


def _by_kind(space: cleanup.Space) -> str:
    named = {Kind.PHOTO: "photos", Kind.RAW: "raw models", Kind.VERSION: "versions"}
    return ", ".join(f"{name} {file_size(space.sizes[kind])}" for kind, name in named.items())

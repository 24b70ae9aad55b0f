"""`flask photos …`: importing the pictures of an earlier database."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from acr3d.parts import legacy_import

photos = AppGroup("photos", help="Import photos from an earlier database.")


@photos.command("fetch")
def fetch() -> None:
    """Download the photos that an earlier database only links to.

    Exits with 1 if some could not be imported; the next run tries those again.
    """
    imported = failed = 0
    for picture in legacy_import.pictures_to_import():
        try:
            imported += _imported(picture)
        except legacy_import.NotImported as problem:
            failed += 1
            click.echo(str(problem), err=True)
    click.echo(f"Imported: {imported}. Not imported: {failed}.")
    if failed:
        raise SystemExit(1)


def _imported(picture: legacy_import.RemotePicture) -> bool:
    if not legacy_import.import_picture(picture):
        click.echo(f"{picture.sku}: skipped; someone else imported, replaced or deleted the photo first.")
        return False
    click.echo(f"{picture.sku}: imported from {picture.host}")
    return True

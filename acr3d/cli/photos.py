"""`flask photos …`: bringing in the pictures of an adopted database."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from acr3d.parts import legacy_import

photos = AppGroup("photos", help="Photos of an adopted database.")


@photos.command("fetch")
def fetch() -> None:
    """Bring in the pictures that an adopted database has only the addresses of.

    Ends with 1 when some could not be brought in; the next run takes up those that are left.
    """
    imported = failed = 0
    for picture in legacy_import.pictures_to_import():
        try:
            imported += _brought_in(picture)
        except legacy_import.NotImported as problem:
            failed += 1
            click.echo(str(problem), err=True)
    click.echo(f"Imported: {imported}. Still to import: {failed}.")
    if failed:
        raise SystemExit(1)


def _brought_in(picture: legacy_import.RemotePicture) -> bool:
    if not legacy_import.import_picture(picture):
        click.echo(
            f"{picture.sku}: the picture was imported, replaced or deleted by somebody else meanwhile."
        )
        return False
    click.echo(f"{picture.sku}: imported from {picture.host}")
    return True

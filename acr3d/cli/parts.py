"""`flask parts …`: the search index."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from acr3d.parts import search_index

parts = AppGroup("parts", help="Work on all parts.")


@parts.command("reindex")
def reindex() -> None:
    """Make the index of all lists and searches again.

    acr3d keeps it up to date by itself; this is for a database that other programs have changed.
    """
    click.echo(f"Indexed {search_index.reindex()} part(s).")

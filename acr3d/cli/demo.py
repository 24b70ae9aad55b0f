"""`flask demo`: parts to try acr3d with."""

from __future__ import annotations

import click

from acr3d import settings
from acr3d.parts import demo


@click.command("demo")
def demo_command() -> None:
    """Add the demo parts with their photos.

    Demo parts that already exist, or that someone deleted, are left alone.
    """
    added = demo.add_parts()
    parts = f"http://127.0.0.1:{settings.current().port}/admin/parts"
    click.echo(f"Added {added} demo parts. See them at {parts}" if added else "The demo parts already exist.")
